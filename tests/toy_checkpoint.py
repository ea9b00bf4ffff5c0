"""Checkpoints for tests of the commands behind training, made without training."""

import jax

from dreamer import checkpoint, family, options, spaces
from dreamer.envs import crafter
from tests import toy_dreamer, toy_world


def save(path, **changes):
    """Write a checkpoint of the toy agent in the toy world; `changes` go into its header."""
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


def untrained(path):
    """Write and load an untrained DreamerV3 of the smallest size in a small Crafter world."""
    overrides = {"env.crafter.length": 25, "seed": 3}
    tree = options.resolve(["crafter_small", "debug"], overrides)
    env = crafter.make(tree["env"]["crafter"], 0, 0)
    seen = spaces.of(env.observation_space, env.action_space)
    state = family.load("v3").init(tree, seen, jax.random.key(3))
    header = {"agent": "v3", "options": tree, "step": 0, "updates": 0, "seed": 3}
    header |= {"spaces": spaces.to_json(seen), "world": env.world}
    checkpoint.save(path, jax.device_get(state.params.values), header)
    return checkpoint.restore(path)
