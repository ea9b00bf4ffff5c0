"""The dynamics one frame at a time, its time layers remembering their keys and values."""

import jax.numpy as jnp

from dreamer.v4 import config as configs
from dreamer.v4 import dynamics, masks, transformer


def start(config, batch):
    """Cache of no frames."""
    stack, slots = dynamics.stack(config), sum(config.slots)
    return transformer.start(stack, batch, config.dyn.window, slots, configs.dtype(config))


def step(values, config, cache, z, level, step, action, known, is_first=None, commit=True,
         taps=False, agent=True, task=0):  # fmt: skip
    """Clean latents [B, S, D], h [B, d] and the cache, as `dynamics.forward` finds them.

    z [B, S, D], level, step, action and known [B, ...] are of one frame; is_first [B] starts anew.
    Without commit the cache comes back as it was, but for is_first. Without agent, h is None, and
    what is committed lacks the agent's past. With taps also {dyn/L{l}/{part}: [B, slots, d]}.
    """
    if is_first is not None:
        cache = transformer.forget(cache, is_first)
    one = (x[:, None] for x in (z, level, step, action, known))
    x = dynamics.embed(values, config, *one, agent, task)
    stack, space = dynamics.stack(config), masks.space(config.slots, agent)
    found, after = transformer.step(values, "dyn", stack, x[:, 0], space, cache)
    clean, h = dynamics.read(values, config, found[-1], agent)
    out = clean, h, after if commit else cache
    return (*out, dynamics.parts(config, found, agent)) if taps else out


def tile(cache, count):
    """The cache with each row repeated `count` times: as many futures of one past."""
    repeat = jnp.repeat
    return transformer.Memory(
        repeat(cache.keys, count, 1), repeat(cache.values, count, 1), repeat(cache.count, count)
    )
