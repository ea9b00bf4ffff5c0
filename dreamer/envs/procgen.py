"""Procgen (Cobbe et al. 2020): sixteen games whose levels are drawn anew."""

import gymnasium
import numpy as np

from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

SIDE = 64  # pixels of the game's own picture
LIMIT = 1000  # steps after which a game cuts an episode
LIMITS = {"bigfish": 6000, "bossfight": 4000, "leaper": 500, "maze": 500, "plunder": 4000}


def make(options, world_seed, spawn_seed, name):
    """The game `name` (`coinrun`) for the options env.procgen, or a refusal."""
    known = extras.load("procgen.env", "procgen").ENV_NAMES
    if name not in known:
        raise Refused(f"there is no Procgen game '{name}'; there are {', '.join(known)}")
    return Adapter(Procgen(name, options), spawn_seed, size=options["size"])


class Procgen(gymnasium.Env):
    """A game that is built anew for every episode, which takes milliseconds.

    The game replaces its last picture by the next episode's first, so the one before is shown.
    """

    action_space = gymnasium.spaces.Discrete(15)

    def __init__(self, name, options):
        self._name, self._options = name, options
        self._limit = LIMITS.get(name, LIMIT)
        self._large = max(options["size"], default=SIDE) > SIDE  # then it is drawn in more detail
        side = 512 if self._large else SIDE
        self.observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, (side, side, 3), np.uint8)
        )

    def reset(self, *, seed=None, options=None):
        """Begin an episode on a level that follows from the seed."""
        super().reset(seed=seed)
        self._game = extras.load("procgen", "procgen").ProcgenGym3Env(
            num=1,
            env_name=self._name,
            rand_seed=int(self.np_random.integers(2**31)),
            num_levels=self._options["levels"],
            start_level=self._options["start"],
            distribution_mode=self._options["mode"],
            render_mode="rgb_array" if self._large else None,
            num_threads=0,
        )
        self._steps, self._image = 0, self._picture()
        return {"image": self._image}, {}

    def step(self, action):
        """Gymnasium's five values."""
        self._game.act(np.array([action]))
        reward, _, first = self._game.observe()
        self._steps += 1
        over, late = bool(first[0]), self._steps >= self._limit
        if not over:
            self._image = self._picture()
        return {"image": self._image}, float(reward[0]), over and not late, over and late, {}

    def _picture(self):
        if self._large:
            return self._game.get_info()[0]["rgb"].copy()
        return self._game.observe()[1]["rgb"][0].copy()
