"""Shortcut forcing: noise levels and steps per frame, their losses, and the sampler.

The signal level tau goes from 0 (noise) to just below 1 (data) in steps of 1 / kmax and is kept as
an index; so is the step d = 2**-j, as j. z = (1 - tau) noise + tau z1.
In the shapes, B rows, T frames, S spatial tokens of D channels.
"""

from functools import partial

import jax
import jax.numpy as jnp

from dreamer.v4 import cache as caches
from dreamer.v4 import draws, dynamics, latents

BINS = 4  # of the signal level, for the metrics


def labels(config, keys, length):
    """Level and step indices [B, T], drawn for every frame by itself from keys [B].

    A share p_flow of the frames has the finest step, the others have all coarser ones alike
    (p_flow 0: all alike); then the level is uniform on the multiples of the step.
    """
    finest = config.finest
    share = config.dyn.p_flow or 1 / (finest + 1)
    flow, coarse, level = (draws.uniform(key, (length,)) for key in draws.split(keys, 3))
    coarser = jnp.minimum(jnp.floor(coarse * finest), finest - 1).astype(jnp.int32)
    step = jnp.where(flow < share, finest, coarser)
    count = 2**step
    index = jnp.minimum(jnp.floor(level * count), count - 1).astype(jnp.int32)
    return index * (config.dyn.kmax // count), step


def ramp(tau):
    """Weight of a frame's loss: 0.1 for noise, 1 for data."""
    return 0.9 * tau + 0.1


def corrupt(z, noise, tau):
    """(1 - tau) noise + tau z of z [..., S, D] and tau [...]."""
    tau = tau[..., None, None]
    return (1 - tau) * noise + tau * z


def noise_context(config, z, keys):
    """Latents z [B, ..., S, D] at the signal level of past frames, with keys [B]."""
    noise = draws.normal(keys, z.shape[1:])
    return corrupt(z, noise, jnp.full(z.shape[:-2], config.dyn.context_level))


def bootstrap(model, z, level, step, kmax, finest):
    """What a step of 2**-step should predict [B, T, S, D]: where two half steps lead.

    model(z, level, step) -> clean latents. Frames of the finest step are left as they are, both as
    context of the others and in what is returned. In terms of clean latents the two predictions f1
    and f2 are averaged with weights 1 - w and w, w = (1 - tau) / (2 (1 - tau) - d), so that nothing
    is divided by a small number; this equals the mean velocity of the two half steps.
    """
    coarse = step < finest
    tau, d = (level / kmax)[..., None, None], (2.0**-step)[..., None, None]
    half = jnp.where(coarse, step + 1, step)
    first = model(z, level, half)
    moved = z + (first - z) * (d / 2) / (1 - tau)
    moved = jnp.where(coarse[..., None, None], moved, z)
    later = jnp.where(coarse, level + kmax // 2 ** (half), level)
    second = model(moved, later, half)
    share = jnp.where(coarse[..., None, None], (1 - tau) / (2 * (1 - tau) - d), 1.0)
    return (1 - share) * first + share * second


def loss(values, config, z, action, known, image_row, valid, key, bootstrap_weight, agent=False,
         task=0):  # fmt: skip
    """Mean over valid [B, T] frames of the ramped errors, metrics, and h [B, T, d] if agent.

    z [B, T, S, D] of `latents.pack`; action, known [B, T] of the actions that led to the frames;
    image_row [B]: unrelated images. `key` is one, or one per row [B]. With agent a share
    head.ctx_rows of the rows is at the level of past frames throughout and counts for h alone.
    """
    model = partial(dynamics.forward, values, config, action=action, known=known,
                    image_row=image_row, task=task)  # fmt: skip
    keys = draws.split(draws.rows(key, len(z)), 3)
    level, step = labels(config, keys[0], z.shape[1])
    if agent:
        at_context = draws.uniform(keys[2]) < config.head.ctx_rows
        level = jnp.where(at_context[:, None], config.context, level)
        step = jnp.where(at_context[:, None], config.finest, step)
        valid = valid & ~at_context[:, None]
    noised = corrupt(z, draws.normal(keys[1], z.shape[1:]), level / config.dyn.kmax)
    clean, h = model(noised, level, step, agent=agent)
    flow = step == config.finest
    target = jnp.where(flow[..., None, None], z, _teach(model, config, noised, level, step))
    error = jnp.square(clean - target).mean((-2, -1))
    tau = level / config.dyn.kmax
    weight = ramp(tau) * jnp.where(flow, 1.0, bootstrap_weight)
    total = _mean(weight * error, valid)
    return total, _metrics(error, tau, flow, valid), h


def generate(values, config, cache, action, known, key, rungs=None, task=0):
    """The next frame's latents [B, S, D] by `rungs` Euler steps; the cache is left as it is.

    action, known [B]: what leads to that frame. `key` is one, or one per row [B].
    """
    rungs = rungs or config.dyn.rungs
    batch = len(known)
    shape = config.slots.spatial, config.packed

    def model(z, level, step):
        labels = (jnp.full(batch, index, jnp.int32) for index in (level, step))
        return caches.step(values, config, cache, z, *labels, action, known, commit=False,
                           agent=False, task=task)[0]  # fmt: skip

    z = sample(model, draws.normal(draws.rows(key, batch), shape), rungs, config.dyn.kmax)
    return latents.clamp(values, config, z) if config.dyn.clamp else z


def sample(model, noise, rungs, kmax):
    """From noise to data in `rungs` equal steps; model(z, level, step) -> clean latents.

    The last step returns the model's prediction itself.
    """
    step = rungs.bit_length() - 1

    def rung(index, z):
        return z + (model(z, index * (kmax // rungs), step) - z) / (rungs - index)

    return jax.lax.fori_loop(0, rungs, rung, noise)


def floor(variance, tau):
    """Least mean squared error for data N(mu, variance) without context: v s^2 / (s^2 + tau^2 v).

    s = 1 - tau; with the eigenvalues of a covariance [K] as variance, their mean.
    """
    noise = (1 - tau) ** 2
    return (variance * noise / (noise + tau**2 * variance)).mean()


def _teach(model, config, noised, level, step):
    """The bootstrap target, without gradient."""

    def clean(z, level, step):
        return model(z, level, step, agent=False)[0]

    return jax.lax.stop_gradient(
        bootstrap(clean, noised, level, step, config.dyn.kmax, config.finest)
    )


def _mean(x, where):
    return (x * where).sum() / jnp.maximum(where.sum(), 1)


def _metrics(error, tau, flow, valid):
    """Raw errors of flow and bootstrap frames, the former by quarters of the signal level, each as
    [sum, frames]; and the number of all `frames`."""

    def pair(where):
        return jnp.stack([(error * where).sum(), where.sum(dtype=jnp.float32)])

    found = {"flow": pair(valid & flow), "bootstrap": pair(valid & ~flow), "frames": valid.sum()}
    quarter = jnp.floor(tau * BINS)
    for index in range(BINS):
        found[f"flow/tau{index / BINS:.2f}"] = pair(valid & flow & (quarter == index))
    return jax.lax.stop_gradient(found)
