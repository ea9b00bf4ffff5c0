"""Small Crafter worlds and ways to play them, for the tests."""

import hashlib

import numpy as np

from dreamer import options
from dreamer.envs import crafter

STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])  # of the actions 1 to 4 and of the facings


def make(world_seed=3, spawn_seed=4, **changes):
    overrides = {"area": [24, 24], **changes}  # small worlds are made quickly
    tree = options.resolve((), {f"env.crafter.{name}": item for name, item in overrides.items()})
    return crafter.make(tree["env"]["crafter"], world_seed, spawn_seed)


def play(env, actions, immortal=False, options=None):
    """Rows (observation, reward, terminated, truncated, info), one more than actions.

    After an episode's last row comes the first of the next. An immortal player is fed before each
    step; only lava and the time limit end its episodes.
    """
    rows, over = [], True
    for action in [0, *actions]:
        if over:
            observation, info = env.reset(options=options)
            options, row = None, (observation, 0.0, False, False, info)
        else:
            if immortal:
                feed(env)
            row = env.step(action)
        over = row[2] or row[3]
        rows.append(row)
    return rows


def feed(env):
    env._game.player.inventory.update(health=9, food=9, drink=9, energy=9)


def anything(steps, seed=0):
    return np.random.default_rng(seed).integers(17, size=steps)


def moves(steps):
    return np.random.default_rng(0).integers(1, 5, size=steps)


def digest(rows):
    """One hash over everything that the rows hold."""
    total = hashlib.sha256()
    for observation, reward, terminated, truncated, info in rows:
        total.update(observation["image"].tobytes())
        total.update(repr((reward, terminated, truncated)).encode())
        total.update(b"".join(np.asarray(info[name]).tobytes() for name in sorted(info)))
    return total.hexdigest()
