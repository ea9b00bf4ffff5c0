"""Who is evaluated, on which episodes: all players meet the same worlds, starts and numbers.

A player is an agent with sampled or with most probable actions, or chance. In the shapes, N is
environments.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from dreamer import films, playing

ROW = {"layers": ["value"], "absent": ["image"]}  # what is kept of a step
MODES = {True: "sampled", False: "argmax"}
RANDOM = "random"


class Player(NamedTuple):
    """`agent` is None for chance; `name` tells agents apart, `sample` how they choose."""

    name: str
    agent: object = None
    sample: bool = True

    @property
    def mode(self):
        return MODES[self.sample]

    @property
    def label(self):
        """Name and mode."""
        return f"{self.name}, {self.mode}" if self.agent else self.name


class Kept:
    """Finished episodes as `recorder.Collector` hands them over: one line of numbers each.

    `image` names the observation of which the first `filmed` episodes become a films.Film.
    """

    def __init__(self, count, image=None, filmed=0):
        self.episodes, self.lines = count, {}
        self.image, self.filmed, self.films = image, filmed if image else 0, {}

    @property
    def header(self):
        """What is kept of a step, as recorder.split asks it."""
        more = {self.image} if self.filmed else set()
        return {"layers": {*ROW["layers"], *more}, "absent": {*ROW["absent"]} - more}

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
        if episode < self.filmed:
            self.films[episode] = films.of(rows, self.image)


def play(player, tree, world_seed, seed, kept, envs):
    """[{return, length, died, achievements}] of the episodes of `kept`; yields steps as it goes.

    An episode depends on its number, the seeds and how many environments there are alone, not on
    who else plays.
    """
    header = kept.header
    yield from playing.play(kept, _begin(player), tree, world_seed, seed, envs, header)
    return [kept.lines[item] for item in range(kept.episodes)]


def pictures(agent):
    """Name of the observation that can be filmed, an image uint8 [H, W, C]; None without one."""
    return next((name for name, space in agent.spaces.observation
                 if space.dtype == "uint8" and len(space.shape) == 3), None)  # fmt: skip


def _begin(player):
    """Policy and carry as a driver takes them, with the return that an agent expects if it can."""
    if player.agent is None:
        return lambda envs: (_chance(envs.single_action_space), None)
    family = player.agent.family

    def tell(params, activations):
        known = hasattr(family, "value")
        return {"value": family.value(params, activations)} if known else {}

    return playing.starter(player.agent, player.sample, tell)


def _chance(space):
    """A policy that draws any action alike."""

    @jax.jit
    def draw(keys):
        return jax.vmap(partial(_any, space))(keys)

    return lambda carry, observation, keys: (carry, draw(keys), {})


def _any(space, key):
    if hasattr(space, "nvec"):
        return jax.random.randint(key, space.shape, 0, np.asarray(space.nvec))
    if hasattr(space, "n"):
        return jax.random.randint(key, (), 0, int(space.n))
    low, high = (np.where(np.isfinite(end), end, side)
                 for end, side in ((space.low, -1.0), (space.high, 1.0)))  # fmt: skip
    return jax.random.uniform(key, space.shape, minval=low, maxval=high)
