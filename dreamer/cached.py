"""A sampler whose weights come from a pass over the whole replay now and then.

In the shapes, B is windows, T the rows of a window that have a signal, N environments.
"""

import numpy as np

from dreamer.priorities import Steps
from dreamer.prioritized import passed
from dreamer.windows import Uniform


class Cached(Uniform):
    """Weights are linear in the KL that `cache` was told of last; updates do not change them.

    Later steps have the mean + standard deviation of all until then. `settings` is the block
    `replay` of the options.
    """

    def __init__(self, envs, window, kept, settings):
        super().__init__(envs, window)
        self.settings = settings
        self.steps = Steps(envs, window, kept, 1, settings["maxfrac"])
        self._begin(0)

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        known = self.end
        if passed(self.settings["stats_every"], self.envs, known, end):
            mean, std = self.steps.spread()
            self.steps.unseen = mean + std if np.isfinite(mean) else self.steps.unseen
        super().keep(oldest, end)
        self.steps.keep(oldest, end)
        first = max(known - self.window + 1, 0)
        self._append(first, end - self.window + 1 - first)
        self.due |= self.starts > 0 and passed(self.settings["cache_every"], self.envs, known, end)

    def draw(self, rng, count):
        """`count` windows [B, 2] by a numpy Generator."""
        sums = self._kept()
        if sums[-1] <= sums[0]:
            return super().draw(rng, count)
        shares = sums[0] + rng.random(count) * (sums[-1] - sums[0])
        place = np.searchsorted(sums, shares, side="right") - 1
        place = np.clip(place, 0, len(sums) - 2)
        return np.stack([place % self.envs, self.oldest + place // self.envs], 1)

    def cache(self, windows, kl):
        """Told, where `due` asks for it, the KL [B, T] of the last T rows of windows [B, 2]."""
        times = windows[:, 1:] + np.arange(1, self.window)
        self.steps.put(windows[:, :1], times, np.maximum(np.nan_to_num(kl), 0))
        self._begin(self.oldest)
        self._append(self.oldest, self.starts)
        self.due = False

    def measure(self):
        """What to log: {name: number}."""
        mean, std = self.steps.spread()
        found = {"signal_mean": float(mean), "signal_std": float(std)}
        return found | self._spread(np.diff(self._kept()))

    def state(self):
        """What `restore` needs besides `keep`: {name: array}."""
        return self.steps.state() | {"sums": self._kept()}

    def restore(self, state):
        """Continue from an earlier `state`."""
        self.steps.restore(state)
        self.oldest, self.end = self.steps.oldest, self.steps.end
        self.base, self.sums, self.count = self.oldest, state["sums"], len(state["sums"]) - 1

    def _begin(self, base):
        """Forget all sums; window (env, time) is to be number (time - base) * N + env."""
        self.base, self.sums, self.count = base, np.zeros(1), 0

    def _append(self, first, count):
        """Add the windows that start at first, first + 1, ... in every environment."""
        if count < 1:
            return
        every = np.arange(self.envs)
        weights = self.steps.weights(every, np.full(self.envs, first), count).T.ravel()
        end = self.count + len(weights)
        if end >= len(self.sums):
            room = np.zeros(max(end + 1, 2 * len(self.sums)))
            room[: self.count + 1] = self.sums[: self.count + 1]
            self.sums = room
        self.sums[self.count + 1 : end + 1] = self.sums[self.count] + np.cumsum(weights)
        self.count = end

    def _kept(self):
        """Sums [windows + 1] of the weights of the kept windows before each one, and of all."""
        first = min((self.oldest - self.base) * self.envs, self.count)
        return self.sums[first : self.count + 1]
