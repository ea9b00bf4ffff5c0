"""Errors of single predictions by signal level and step, beside what ignores the past would reach.

Measured on the last frame of windows whose earlier frames are at the level of past frames.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.v4 import foreseen, shortcut

LEVELS, FEW = 16, 4  # signal levels at most, of the flow and of each coarser step
BATCH = 64


def windows(episodes, options, context):
    """Windows of `context` frames and one more whose action is known."""
    rng = np.random.default_rng([options["seed"], 1])
    found = episodes.windows(episodes.draw(rng, options["windows"], context + 1), context + 1)
    told = found["known"][:, -1]
    names = ("image", "action", "known")
    return {name: found[name][told] if told.any() else found[name] for name in names}


def measure(model, rows, seed):
    """{flow: {tau: error}, shuffled: {0: error}, bootstrap, plain: {d: error}, copy, units}.

    `shuffled` is with the last action of another window, `plain` the finest step's prediction in
    place of the coarse one's, `copy` the error of the last latents as prediction; `units`
    [N, units] are latents of single frames.
    """
    key = jax.random.key_data(foreseen.keys(seed, len(rows["action"])))
    rows = rows | {"key": np.asarray(key), "other": rows["action"].copy()}
    rows["other"][:, -1] = np.roll(rows["action"][:, -1], 1, 0)
    parts = {}
    for batch, count in foreseen.batches(rows, min(BATCH, len(key))):
        for name, values in _batch(model, batch).items():
            parts.setdefault(name, []).append(np.asarray(values)[:count])
    whole = {name: np.concatenate(values) for name, values in parts.items()}
    units = whole.pop("units")
    found = {"units": units.reshape(-1, units.shape[-1]), "copy": float(whole.pop("copy").mean())}
    for (name, place), values in whole.items():
        found.setdefault(name, {})[place] = float(values.mean())
    return found


def _batch(model, rows):
    """{(what, tau or d): errors [B], copy [B], units [B, T, units]} of one batch."""
    config, z = model.config, model.latents(rows["image"])
    key = jax.random.wrap_key_data(jnp.asarray(rows["key"]))
    asked, other = ((z, rows[name], rows["known"], key) for name in ("action", "other"))
    found = {
        ("flow", level / config.dyn.kmax): _error(model, asked, level)
        for level in spaced(config.dyn.kmax, LEVELS)
    }
    found["shuffled", 0.0] = _error(model, other, 0)
    for step in range(config.finest):
        levels = [place * config.dyn.kmax // 2**step for place in spaced(2**step, FEW)]
        errors = sum(model.bootstrap(*asked, level, step) for level in levels) / len(levels)
        found["bootstrap", 2.0**-step], found["plain", 2.0**-step] = errors.T
    found["copy"] = jnp.square(z[:, -1] - z[:, -2]).mean((-2, -1))
    return found | {"units": z.reshape(*z.shape[:2], -1)}


def _error(model, asked, level):
    """[B] at the finest step."""
    clean, _ = model.clean(*asked, level, model.config.finest)
    return jnp.square(clean - asked[0][:, -1]).mean((-2, -1))


def spaced(count, most):
    """At most `most` of the numbers 0 to count - 1, evenly spaced from 0 on."""
    return range(0, count, -(-count // most))


def floors(units, taus):
    """{tau: (error, error)} of the best prediction without the past.

    Of Gaussian data with the covariance of `units` [N, K], and of independent ones of variance one.
    """
    covariance = np.maximum(np.linalg.eigvalsh(np.cov(units, rowvar=False)), 0)
    return {
        tau: tuple(float(shortcut.floor(values, tau)) for values in (covariance, np.ones(1)))
        for tau in taus
    }
