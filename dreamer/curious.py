"""Curious Replay (arXiv 2306.15934): what was trained on seldom and what is badly predicted."""

import numpy as np

from dreamer.prioritized import Prioritized


class Curious(Prioritized):
    """A step has the priority c * beta^visits + (model loss + eps)^alpha, and one before any."""

    exponent = 1

    def __init__(self, envs, window, kept, settings):
        super().__init__(envs, window, kept, settings)
        self.steps.unseen = settings["curious"]["initial"]
        self.visits = np.zeros((envs, kept), np.uint8)  # trainings on a step; 255 stands for more

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        self.visits[:, np.arange(max(self.end, oldest), end) % self.kept] = 0
        super().keep(oldest, end)

    def state(self):
        """What `restore` needs besides `keep`: {name: array}."""
        return super().state() | {"visits": self.visits[:, : min(self.end, self.kept)]}

    def restore(self, state):
        """Continue from an earlier `state`."""
        self.visits[:, : state["visits"].shape[1]] = state["visits"]
        super().restore(state)

    def _refresh(self):
        """Unseen steps keep their constant."""

    def _priority(self, signal, env, time):
        settings, place = self.settings["curious"], (env, time % self.kept)
        self.visits[place] = np.minimum(self.visits[place], 254) + 1
        seldom = settings["c"] * settings["beta"] ** self.visits[place].astype(float)
        return seldom + (signal + settings["eps"]) ** settings["alpha"]
