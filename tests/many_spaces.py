"""A small world with every kind of observation at once, for tests of what agents can see and do."""

import gymnasium
import numpy as np
from gymnasium import spaces

LENGTH = 7
LIGHT = spaces.Box(0, 9, (2,))


class Everything(gymnasium.Env):
    """Observations say the time; `log_energy` is for the logs alone."""

    observation_space = spaces.Dict(
        {
            "left": spaces.Box(0, 255, (32, 32), np.uint8),
            "right": spaces.Box(0, 255, (16, 16, 3), np.uint8),
            "speed": spaces.Box(-np.inf, np.inf, (3,), np.float64),
            "mode": spaces.Discrete(LENGTH + 1, start=2),
            "parts": spaces.MultiDiscrete([2, 9]),
            "body": spaces.Dict(touch=spaces.MultiBinary(4)),
            "log_energy": spaces.Box(0, 100, (), np.float32),
        }
    )
    action_space = spaces.MultiDiscrete([3, 5], start=[1, 0])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.taken = 0, []
        return self.look(), {}

    def step(self, action):
        self.time += 1
        self.taken.append(np.array(action))
        assert self.action_space.contains(np.asarray(action))
        return self.look(), 1.0, False, self.time == LENGTH, {"log_time": self.time, "other": "x"}

    def look(self):
        return {
            "left": np.full((32, 32), self.time, np.uint8),
            "right": np.full((16, 16, 3), self.time, np.uint8),
            "speed": np.full(3, self.time, np.float64) + self.np_random.random(),
            "mode": 2 + self.time,
            "parts": np.array([self.time % 2, self.time]),
            "body": {"touch": np.ones(4, np.int8)},
            "log_energy": np.float32(self.time),
        }


class Driving(Everything):
    """The same with numbers for actions, of which the last has no bounds."""

    action_space = spaces.Box(
        np.array([0, -4, -np.inf]), np.array([2, 4, np.inf]), dtype=np.float64
    )


class Talking(Everything):
    """One observation is a text."""

    observation_space = spaces.Dict(word=spaces.Text(9), light=spaces.Box(0, 1, (2,)))


class Lost(Everything):
    """It tells where it is, but not how large the world is."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)[0], {"position": (1.5, 2.5)}


class Placed(Lost):
    """It tells both, in its own units."""

    world = {"area": (10, 5), "achievements": ["time"]}

    def reset(self, *, seed=None, options=None):
        seen, info = super().reset(seed=seed)
        return seen, {**info, "achievements": [0]}

    def step(self, action):
        *rest, info = super().step(action)
        return *rest, {**info, "position": (9.9, 0.5 * self.time), "achievements": [self.time]}


class Walled(Placed):
    """It also tells its ground, and at every step what changed of it."""

    def reset(self, *, seed=None, options=None):
        seen, info = super().reset(seed=seed)
        return seen, {**info, "terrain": np.ones((10, 5), np.uint8)}

    def step(self, action):
        *rest, info = super().step(action)
        return *rest, {**info, "terrain_changed": np.zeros((10, 5), np.uint8)}


class Broken(Everything):
    """It cannot be made."""

    def __init__(self):
        self.speed = 1 / 0


class Unsteady(Placed):
    """What it tells of itself is `world`, and in `info` first `begins` and then `goes_on`."""

    world, begins, goes_on = {"area": (10, 5)}, {}, {}

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)[0], self.begins

    def step(self, action):
        return *super().step(action)[:4], self.goes_on
