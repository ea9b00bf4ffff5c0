"""A world of one's own with continuous moves and a position, seen as numbers and small images."""

import gymnasium
import numpy as np
from gymnasium import spaces

SIDE = 6.0


class Roaming(gymnasium.Env):
    """A point that is pushed about a square room; its episodes last 12 steps."""

    observation_space = spaces.Dict(
        {
            "touch": spaces.Box(-np.inf, np.inf, (2,), np.float32),
            "eye": spaces.Box(0, 255, (16, 16, 3), np.uint8),
            "image": spaces.Box(0, 255, (16, 16, 4), np.uint8),
        }
    )
    action_space = spaces.Box(-1, 1, (2,), np.float32)
    world = {"area": (SIDE, SIDE)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.time = self.np_random.uniform(0, SIDE, 2), 0
        return self.look(), {"position": self.place}

    def step(self, action):
        self.time += 1
        self.place = np.clip(self.place + action, 0, SIDE - 1e-3)
        return self.look(), float(self.place[0]), False, self.time == 12, {"position": self.place}

    def look(self):
        shade = (40 * self.place).astype(np.uint8)
        return {
            "touch": np.float32(self.place / SIDE),
            "eye": np.full((16, 16, 3), shade[0], np.uint8),
            "image": np.full((16, 16, 4), shade[1], np.uint8),
        }
