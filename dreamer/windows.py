"""Samplers that need no signal: all windows alike, or the newest most.

A window is (environment, time of its first row); windows are arrays [B, 2]. All environments hold
the rows oldest <= time < end. In the shapes, N is environments, B windows.
"""

import numpy as np


class Uniform:
    """Every whole window that is kept is equally probable, DreamerV3's default."""

    due = False  # whether `cache` is to be called before the next draw

    def __init__(self, envs, window):
        self.envs, self.window = envs, window
        self.oldest = self.end = 0

    @property
    def starts(self):
        """How many windows an environment has."""
        return max(0, self.end - self.window + 1 - self.oldest)

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        self.oldest, self.end = oldest, end

    def draw(self, rng, count):
        """`count` windows [B, 2] by a numpy Generator."""
        env = rng.integers(self.envs, size=count)
        return np.stack([env, rng.integers(self.oldest, self.end - self.window + 1, count)], 1)

    def learn(self, windows, signal):
        """Told after an update the signal {name: [B, T]} of the trained rows (the last T)."""

    def cache(self, windows, kl):
        """Told, where `due` asks for it, the KL [B, T] of the last T rows of windows [B, 2]."""

    def measure(self):
        """What to log: {name: number}."""
        windows = self.envs * self.starts
        return {"effective_size": float(windows), "effective_share": float(windows > 0)}

    def state(self):
        """What `restore` needs besides `keep`: {name: array}."""
        return {}

    def restore(self, state):
        """Continue from an earlier `state`."""

    def _spread(self, weights, copies=1):
        """Effective number of windows, (sum w)^2 / sum w^2, and its share of all."""
        squares = float(weights @ weights)
        size = copies * float(weights.sum()) ** 2 / squares if squares else 0.0
        windows = self.envs * self.starts
        return {"effective_size": size, "effective_share": size / windows if windows else 0.0}


class Recency(Uniform):
    """A window of age 1 (the newest), 2, ... has the weight 1 / age^exponent."""

    def __init__(self, envs, window, exponent):
        super().__init__(envs, window)
        self.exponent, self._sums = exponent, np.zeros(1)

    def draw(self, rng, count):
        """`count` windows [B, 2] by a numpy Generator."""
        env, sums = rng.integers(self.envs, size=count), self._upto(self.starts)
        younger = np.searchsorted(sums, rng.random(count) * sums[-1], side="right") - 1
        return np.stack([env, self.end - self.window - np.minimum(younger, self.starts - 1)], 1)

    def measure(self):
        """What to log: {name: number}."""
        return self._spread(np.diff(self._upto(self.starts)), self.envs)

    def _upto(self, ages):
        """Sums [ages + 1] of the weights of the ages below 1, 2, ..."""
        if len(self._sums) <= ages:
            size = 1 << max(10, ages.bit_length())  # a power of two: equal bits at every size
            weights = np.arange(1.0, size + 1) ** -self.exponent
            self._sums = np.concatenate([[0.0], np.cumsum(weights)])
        return self._sums[: ages + 1]
