"""A DreamerV4 of a few thousand parameters, and episodes to train it on within seconds."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import options, png, spaces, trajectory
from dreamer.v4 import agent
from tests import quick

ACTIONS = 5
DISCRETE = spaces.Space((), "int32", ACTIONS)
CONTINUOUS = spaces.Space((2,), "float32", 0, (-1.0, -1.0), (1.0, 1.0))
WORLD = {
    "actions": [f"action {index}" for index in range(ACTIONS)],
    "achievements": [],
    "materials": ["none"],
    "walkable": [0],
    "enterable": [0],
    "area": [4, 4],
    "absent": [],
}


def tree(**changes):
    """The option tree of t0 in the square's world; `dyn__width=32` changes dyn.width."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return options.resolve(["t0"], {"agent": "v4", "task": "square", **named})


def seen(action=DISCRETE, side=16):
    """Spaces of an image and this action."""
    return spaces.Spaces((("image", spaces.Space((side, side, 3), "uint8")),), action)


def fresh(action=DISCRETE, seed=1, **changes):
    """Params as a training begins with them."""
    found = quick.jit(lambda key: agent.init(tree(**changes), seen(action), key))
    return found(jax.random.key(seed)).params


@lru_cache
def params(action=DISCRETE, seed=0, **changes):
    """Params whose every array is random: where outputs start at zero, nothing would flow."""
    found, rng, values = fresh(action, **changes), np.random.default_rng(seed), {}
    for name, value in found.values.items():
        noise = 0.2 * rng.standard_normal(value.shape).astype(np.float32)
        values[name] = jnp.asarray(np.abs(value + noise) if "std" in name else value + noise)
    return agent.Params(values, found.config)


def episodes(count, length, action=DISCRETE, seed=0, side=16):
    """Columns of episodes whose image is bright where the last action says, reward for action 1."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(50, 200, (side, side, 3))
    for number in range(count):
        rows = length[number] if isinstance(length, list) else length
        wide = not action.classes
        taken = rng.uniform(-1, 1, (rows, 2)) if wide else rng.integers(0, ACTIONS, rows)
        led = np.concatenate([taken[:1] * 0, taken[:-1]])
        mark = (led[:, 0] > 0).astype(int) if wide else led
        images = np.repeat(ground[None], rows, 0).astype(np.uint8)
        for row in range(rows):
            images[row, 3 * mark[row] : 3 * mark[row] + 3, :6] = 255
        first, last = np.arange(rows) == 0, np.arange(rows) == rows - 1
        yield {
            "episode": np.full(rows, number),
            "step": np.arange(rows),
            "action": taken.astype(np.float32) if wide else taken,
            "reward": (mark == 1).astype(np.float32) * ~first,
            "is_first": first,
            "is_last": last,
            "is_terminal": last & (number % 2 == 1),
            "policy": np.zeros(rows, int),
            "image": [png.encode(image) for image in images],
        }


def write(path, count=6, length=12, action=DISCRETE, seed=0, side=16, **more):
    """A data set file of `episodes`."""
    header = {
        "kind": "dataset",
        "layers": {},
        "absent": ["x", "y", "facing"],
        "action_width": 0 if action.classes else action.shape[0],
        "spaces": spaces.to_json(seen(action, side)),
        "world": WORLD,
        "task": "square",
        "seed": seed,
        **more,
    }
    trajectory.write(path, header, episodes(count, length, action, seed, side))
    return path
