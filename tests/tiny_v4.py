"""A DreamerV4 world model with random weights everywhere, for tests of what can reach what.

Outputs that start at zero would let every such test pass.
"""

import jax.numpy as jnp
import numpy as np

from dreamer.v4 import config as configs
from dreamer.v4 import dynamics, latents, tokenizer
from tests import toy_v4

ROWS = 3


def config(action=toy_v4.DISCRETE, side=16, **changes):
    """The Config of t0; `dyn__window=3` changes dyn.window."""
    return configs.freeze(toy_v4.tree(**changes), toy_v4.seen(action, side))


def values(config, seed=0):
    """Random parameters {name: array} of tokenizer, scale and dynamics."""
    rng = np.random.default_rng(seed)
    leaves = tokenizer.shapes(config) | dynamics.shapes(config) | latents.shapes(config)
    return {
        name: jnp.asarray(
            leaf.fill + (leaf.scale or 0.1) * rng.normal(size=leaf.shape), jnp.float32
        )
        for name, leaf in leaves.items()
    }


def images(config, length, rows=ROWS, seed=0):
    """Random uint8 images [rows, length, H, W, 3]."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (rows, length, *config.observed), dtype=np.uint8)


def frames(config, length, rows=ROWS, seed=0):
    """Random arguments {name: array} of `dynamics.forward`."""
    rng = np.random.default_rng(seed)
    shape, space = (rows, length), config.action
    step = rng.integers(0, config.finest + 1, shape)
    level = (rng.random(shape) * 2**step).astype(int) * (config.dyn.kmax // 2**step)
    wide = rng.normal(size=(*shape, *space.shape)).astype(np.float32)
    return {
        "z": rng.normal(size=(*shape, config.slots.spatial, config.packed)).astype(np.float32),
        "level": level.astype(np.int32),
        "step": step.astype(np.int32),
        "action": rng.integers(0, space.classes, shape) if space.classes else wide,
        "known": np.ones(shape, bool),
    }


def changed(given, name, where, config=None):
    """`given` with argument `name` changed in all rows at the frames `where` (an index)."""
    value, other = given[name].copy(), {"known": lambda x: ~x, "z": lambda x: x + 1}
    if name in other:
        new = other[name](value)
    elif value.dtype.kind == "f":
        new = value + 1
    else:
        count = {"level": config.dyn.kmax, "step": config.finest + 1}.get(name, toy_v4.ACTIONS)
        new = (value + 1) % count
    value[:, where] = new[:, where]
    return given | {name: value}
