"""A checkpoint of the toy agent in the toy world, for tests of the commands behind training."""

import jax

from dreamer import checkpoint, options, spaces
from tests import toy_dreamer, toy_world


def save(path, **changes):
    """Write the checkpoint; `changes` replace entries of its header."""
    names = {"agent": "tests.toy_dreamer", "task": "tests.toy_world"}
    tree = options.resolve(["debug"]) | names
    seen = spaces.of(toy_world.Arena.observation_space, toy_world.Arena.action_space)
    state = toy_dreamer.init(tree, seen, jax.random.key(0))
    header = {
        "agent": names["agent"],
        "options": tree,
        "step": 0,
        "updates": 0,
        "seed": 0,
        "spaces": spaces.to_json(seen),
        "world": toy_world.Arena.world,
    }
    checkpoint.save(path, state.params.values, header | changes)
    return path
