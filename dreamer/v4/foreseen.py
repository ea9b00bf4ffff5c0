"""How well futures are foreseen, by horizon, beside the ceiling and the floors of any such number.

Errors are pooled over clips before they become decibels. In the shapes, N is clips, C frames before
the future, H foreseen ones, K Euler steps per frame.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.v4 import perceptual
from jobs.errors import Refused

BATCH = 16  # clips at once
NEAR = 8  # horizon up to which the use of actions is judged
HIDDEN = {
    "across": "actions of another clip",
    "time": "actions in another order",
    "null": "no actions",
}


def draw(episodes, options, context):
    """Clips of held-out episodes, equal for equal data and seed: what `Episodes.windows` gives.

    Clips with a future action that is not known are left out.
    """
    length, rng = context + options["horizon"], np.random.default_rng(options["seed"])
    places = episodes.draw(rng, options["clips"], length)
    known = episodes.windows(places, length, images=False)["known"][:, context:].all(1)
    if not known.any():
        raise Refused(
            f"{episodes.path} has no {length} steps whose actions are all known, so what they lead "
            "to cannot be foreseen; give another data set, or lower world_model.horizon"
        )
    return episodes.windows(places[known], length)


def batches(rows, size=BATCH):
    """(slices of arrays {name: [N, ...]} filled up to `size` rows, how many of them count)."""
    count = len(next(iter(rows.values())))
    for first in range(0, count, size):
        index = np.minimum(np.arange(first, first + size), count - 1)
        yield {name: value[index] for name, value in rows.items()}, min(size, count - first)


def keys(seed, count):
    """One key per clip, which depends on its place and the seed alone."""
    root = jax.random.key(seed)
    return jax.vmap(lambda index: jax.random.fold_in(root, index))(jnp.arange(count))


def hidden(actions, seed):
    """{what is done to them: actions [N, H, ...]}: those of the next clip, or in another order."""
    rng, steps = np.random.default_rng(seed), np.arange(actions.shape[1])
    order = np.stack([rng.permutation(steps) for _ in actions])
    return {
        "across": np.roll(actions, 1, 0),
        "time": np.stack([clip[places] for clip, places in zip(actions, order, strict=True)]),
    }


def measure(model, clips, options, context):
    """{variant: {error, ssim, latent, sharpness: [N, H], z [N, H, units]}}.

    Variants: k1, k2, ... Euler steps with the true actions, `across`, `time` and `null` at the
    usual number; `ceiling` (the truth through the tokenizer), `repeat`, `mean`, and `truth`.
    """
    steps = {f"k{2**power}": 2**power for power in range(model.config.finest + 1)}
    rows = {name: clips[name] for name in ("image", "action", "known")}
    rows["key"] = np.asarray(jax.random.key_data(keys(options["seed"], len(rows["action"]))))
    shuffled = hidden(rows["action"][:, context:], options["seed"])
    rows |= {f"action_{name}": value for name, value in shuffled.items()}
    average = _average(model, clips["image"])
    found = {}
    for batch, count in batches(rows):
        part = _batch(model, batch, context, steps, average)
        for variant, numbers in jax.device_get(part).items():
            for name, value in numbers.items():
                found.setdefault(variant, {}).setdefault(name, []).append(value[:count])
    return {
        variant: {name: np.concatenate(parts) for name, parts in numbers.items()}
        for variant, numbers in found.items()
    }


def _batch(model, rows, context, steps, average):
    """`measure` of one batch."""
    z, truth = model.latents(rows["image"]), model.truth(rows["image"])
    past = z[:, :context], rows["action"][:, :context], rows["known"][:, :context]
    ahead, key = rows["action"][:, context:], jax.random.wrap_key_data(jnp.asarray(rows["key"]))
    horizon, goal, rest = ahead.shape[1], truth[:, context:], (truth[:, context:], z[:, context:])

    def foresee(actions, **more):
        dreamt = model.future(past, actions, key, horizon, **more)["z"]
        seen = model.pictures(jnp.concatenate([past[0], dreamt], 1))[:, context:]
        return _numbers(seen, dreamt, *rest)

    found = {name: foresee(ahead, rungs=count) for name, count in steps.items()}
    found |= {name: foresee(rows[f"action_{name}"]) for name in ("across", "time")}
    found["null"] = foresee(ahead, blind=True)
    last, same = truth[:, context - 1 : context], z[:, context - 1 : context]
    found["ceiling"] = _numbers(model.pictures(z)[:, context:], z[:, context:], *rest)
    found["repeat"] = _numbers(*(jnp.repeat(x, horizon, 1) for x in (last, same)), *rest)
    found["mean"] = _numbers(jnp.broadcast_to(average, goal.shape), jnp.zeros_like(rest[1]), *rest)
    return found | {"truth": _numbers(goal, z[:, context:], *rest)}


@jax.jit
def _numbers(seen, z, truth, latent):
    """Of foreseen images [B, H, h, w, 3] and latents [B, H, S, D], beside the true ones."""
    return {
        "error": jnp.square(seen - truth).mean((-3, -2, -1)),
        "ssim": perceptual.similarity(seen, truth),
        "latent": jnp.square(z - latent).mean((-2, -1)),
        "sharpness": _edges(seen),
        "z": z.reshape(*z.shape[:2], -1),
    }


def _edges(images):
    """Mean absolute difference [B, H] between neighbouring pixels."""
    rows, columns = (jnp.abs(jnp.diff(images, axis=axis)) for axis in (-3, -2))
    return (rows.mean((-3, -2, -1)) + columns.mean((-3, -2, -1))) / 2


def _average(model, images):
    """The mean frame [h, w, 3] of all clips."""
    return sum(np.asarray(model.truth(clip)).mean(0) for clip in images) / len(images)


def spread(z):
    """Standard deviation [H] of latents [N, H, units] over clips, its root mean square over units.

    Of a model that always foresees the average of what may come, it is too small.
    """
    return np.sqrt(z.var(0).mean(-1))


def ratios(found, usual):
    """{what is done to the actions: error with it over that with the true ones, up to NEAR}."""
    true = found[usual]["error"][:, :NEAR].mean()
    return {name: float(found[name]["error"][:, :NEAR].mean() / true) for name in HIDDEN}
