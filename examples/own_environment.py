"""A world of one's own, any gymnasium.Env: walk along a corridor to the lamp."""

import gymnasium
import numpy as np


class Corridor(gymnasium.Env):
    observation_space = gymnasium.spaces.Dict(light=gymnasium.spaces.Box(0, 1, (8,), np.float32))
    action_space = gymnasium.spaces.Discrete(2)
    world = {"area": (8, 1), "actions": ["left", "right"]}  # optional: it is what info tells of

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left, (self.place, self.lamp) = 50, self.np_random.choice(8, 2, replace=False)
        return self.look(), {"position": (self.place, 0)}

    def step(self, action):
        self.place, self.left = np.clip(self.place + 2 * action - 1, 0, 7), self.left - 1
        info = {"position": (self.place, 0), "log_distance": abs(self.place - self.lamp)}
        lit = self.place == self.lamp
        return self.look(), float(lit), lit, self.left == 0, info

    def look(self):
        tiles = np.arange(8)
        return {"light": np.float32((tiles == self.place) + 0.5 * (tiles == self.lamp))}
