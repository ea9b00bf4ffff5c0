"""Curious Replay (arXiv 2306.15934): what was trained on seldom and what is badly predicted."""

import numpy as np

from dreamer.prioritized import Prioritized

MOST = 2**16 - 1  # visits that are told apart


class Curious(Prioritized):
    """A step has the priority c * beta^visits + (model loss + eps)^alpha, and one before any.

    As in algorithm 1 there, visits are the trainings on the step before the last one.
    """

    exponent = 1

    def __init__(self, envs, window, kept, settings):
        super().__init__(envs, window, kept, settings)
        self.steps.unseen = settings["curious"]["initial"]
        self.visits = np.zeros((envs, kept), np.uint16)  # trainings on a step

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
        settings = self.settings["curious"]
        place, which, count = np.unique(
            self._places(env, time), return_inverse=True, return_counts=True
        )
        visits = self.visits.reshape(-1)[place] + count
        self.visits.reshape(-1)[place] = np.minimum(visits, MOST)
        seldom = settings["c"] * settings["beta"] ** (visits - 1.0)[which]
        return seldom + (signal.astype(float) + settings["eps"]) ** settings["alpha"]
