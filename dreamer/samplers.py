"""Which windows of the replay are trained on next.

A window is (environment, time of its first row); windows are arrays [B, 2]. All environments hold
the rows oldest <= time < end. A sampler has the five methods of `Uniform`.
"""

import numpy as np


class Uniform:
    """Every whole window that is kept is equally probable, DreamerV3's default."""

    def __init__(self, envs, window):
        self.envs, self.window = envs, window
        self.oldest = self.end = 0

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        self.oldest, self.end = oldest, end

    def draw(self, rng, count):
        """`count` windows [B, 2] by a numpy Generator."""
        env = rng.integers(self.envs, size=count)
        return np.stack([env, rng.integers(self.oldest, self.end - self.window + 1, count)], 1)

    def learn(self, windows, signal):
        """Told after an update the signal {name: [B, T]} of the trained rows (the last T)."""

    def state(self):
        """What `restore` needs besides `keep`: {name: array}."""
        return {}

    def restore(self, state):
        """Continue from an earlier `state`."""


class Fresh:
    """Hands out each non-overlapping window of every environment once, in order of completion."""

    def __init__(self, envs, window):
        self.envs, self.window = envs, window
        self.served = 0

    def take(self, count, oldest, end):
        """Up to `count` windows [B, 2] that are complete, new and still kept."""
        first = -(-oldest // self.window) * self.envs
        last = end // self.window * self.envs
        order = np.arange(max(self.served, first), last)[:count]
        self.served = int(order[-1]) + 1 if len(order) else self.served
        return np.stack([order % self.envs, order // self.envs * self.window], 1)


KINDS = {"uniform": Uniform}


def make(name, envs, window):
    """The sampler that the option `replay.sampler` names."""
    return KINDS[name](envs, window)
