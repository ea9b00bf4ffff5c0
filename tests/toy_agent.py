"""A DreamerV3 small enough to compile in seconds, and batches to train it on."""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import options
from dreamer.spaces import Space, Spaces
from dreamer.v3 import agent
from dreamer.v3 import config as configs

IMAGE = Space((16, 16, 3), "uint8")
SEEN = Spaces((("image", IMAGE),), Space((), "int32", 6))
FELT = Spaces(
    (("image", IMAGE), ("log_secret", Space((2,), "float32")), ("mode", Space((), "int32", 3)))
    + (("speed", Space((2, 2), "float32")),),
    Space((2,), "float32"),
)


def tree(**changes):
    """The option tree of preset debug with changes, dots written as two underscores."""
    chosen = {"imag.length": 3, "dtype": "float32", "opt.lr": 3e-3, "opt.warmup": 0}
    chosen |= {name.replace("__", "."): value for name, value in changes.items()}
    return options.resolve(["debug"], chosen)


def config(spaces=SEEN, **changes):
    """Config of the small agent."""
    return configs.freeze(tree(**changes), spaces)


def fresh(spaces=SEEN, seed=0, **changes):
    """Untrained state of the small agent; heads that start at zero are made to say something."""
    state = agent.init(tree(**changes), spaces, jax.random.key(seed))
    rng = np.random.default_rng(seed)
    for name, value in state.params.values.items():
        if name.endswith("head/logits/kernel"):
            noise = rng.normal(size=value.shape, scale=0.3)
            state.params.values[name] = jnp.asarray(noise, jnp.float32)
    return state


def batch(spaces=SEEN, rows=5, size=3, seed=0):
    """Random rows [size, rows] with episodes that end in them, and a zero belief."""
    rng = np.random.default_rng(seed)
    shape = (size, rows)
    found = {name: _draw(rng, space, shape) for name, space in spaces.observation}
    found |= {"action": _draw(rng, spaces.action, shape)}
    found |= {"reward": rng.normal(size=shape).astype(np.float32)}
    found |= {name: rng.random(shape) < 0.2 for name in ("is_first", "is_last", "is_terminal")}
    layers = {"dyn/deter": 8, "dyn/stoch": 8}
    belief = {name: np.zeros((size, width), np.float32) for name, width in layers.items()}
    return {**found, **belief}


def _draw(rng, space, shape):
    if space.classes:
        return rng.integers(0, space.classes, shape).astype(np.int32)
    if space.dtype == "uint8":
        return rng.integers(0, 256, (*shape, *space.shape)).astype(np.uint8)
    return rng.normal(size=(*shape, *space.shape)).astype(np.float32)
