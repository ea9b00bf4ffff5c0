"""Who is evaluated, on which episodes: all players meet the same worlds, starts and numbers.

A player is an agent with sampled or with most probable actions, or chance. In the shapes, N is
environments.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from dreamer import playing

ROW = {"layers": {}, "absent": ["image"]}  # what is kept of a step
MODES = {True: "sampled", False: "argmax"}
RANDOM = "random"


class Player(NamedTuple):
    """`agent` is None for chance; `name` tells agents apart, `sample` how they choose."""

    name: str
    agent: object = None
    sample: bool = True

    @property
    def label(self):
        """Name and mode."""
        return f"{self.name}, {MODES[self.sample]}" if self.agent else self.name


class Kept:
    """Finished episodes as `recorder.Collector` hands them over: one line of numbers each."""

    def __init__(self, count):
        self.episodes, self.lines = count, {}

    def missing(self):
        """Episodes that are not played yet."""
        return [item for item in range(self.episodes) if item not in self.lines]

    def save(self, episode, rows):
        """Take the steps of a finished episode, [{name: value}]."""
        found = {
            "return": float(np.sum([row["reward"] for row in rows], dtype=np.float64)),
            "length": len(rows) - 1,
            "died": bool(rows[-1]["is_terminal"]),
        }
        counts = rows[-1].get("achievements")
        self.lines[episode] = found | {"achievements": None if counts is None else counts.tolist()}


def play(player, tree, world_seed, seed, count, envs):
    """[{return, length, died, achievements}] of episodes 0 to count - 1; yields steps as it goes.

    An episode depends on its number, the seeds and how many environments there are alone, not on
    who else plays.
    """
    kept = Kept(count)
    yield from playing.play(kept, partial(_begin, player), tree, world_seed, seed, envs, ROW)
    return [kept.lines[item] for item in range(count)]


def _begin(player, envs):
    """Policy and carry as a driver takes them."""
    if player.agent is None:
        return _chance(envs.single_action_space), None
    family, params = player.agent.family, player.agent.params
    return playing.policy(player.agent, player.sample), family.start(params, envs.num_envs)


def _chance(space):
    """A policy that draws any action alike."""

    @jax.jit
    def draw(keys):
        if hasattr(space, "n"):
            return jax.vmap(lambda key: jax.random.randint(key, (), 0, int(space.n)))(keys)
        ends = np.asarray(space.low), np.asarray(space.high)
        return jax.vmap(lambda key: jax.random.uniform(key, space.shape, minval=ends[0],
                                                       maxval=ends[1]))(keys)  # fmt: skip

    return lambda carry, observation, keys: (carry, draw(keys), {})
