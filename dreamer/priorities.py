"""Priorities of single steps, and the weights of windows that follow from them.

In the shapes, N is environments, M windows or steps, T steps that follow each other.
"""

import numpy as np

FIRST = 1e100  # weight of a window with an infinite step: no sum of others can be seen beside it
LARGEST = 1e30  # of the finite priorities and their powers


class Steps:
    """The priority of each kept step [N, kept]; time t has the place t % kept.

    A window's weight is maxfrac * max(p^a) + (1 - maxfrac) * mean(p^a) over its steps, with a the
    exponent. Steps that nothing is known of have the priority `unseen`.
    """

    def __init__(self, envs, window, kept, exponent, maxfrac):
        self.window, self.kept = window, kept
        self.exponent, self.maxfrac = exponent, maxfrac
        self.value = np.zeros((envs, kept), np.float32)
        self.power = self.value if exponent == 1 else np.zeros_like(self.value)
        self.oldest = self.end = 0
        self.unseen = 1.0

    def keep(self, oldest, end):
        """Rows before `oldest` are gone, those up to `end` have come."""
        every = np.arange(len(self.value))[:, None]
        self.value[every, np.arange(self.oldest, min(oldest, self.end)) % self.kept] = np.inf
        new = np.arange(max(self.end, oldest), end)
        self.oldest, self.end = oldest, end
        self.put(every, new, np.full((len(every), len(new)), self.unseen))

    def put(self, env, time, priority):
        """Set priorities of the steps (env, time); the three are broadcast together."""
        place = env, time % self.kept
        infinite = np.isinf(priority)
        finite = np.where(infinite, 0.0, np.minimum(priority, LARGEST)).astype(np.float64)
        self.value[place] = np.where(infinite, np.inf, finite)
        if self.power is not self.value:
            with np.errstate(over="ignore"):
                power = np.minimum(finite**self.exponent, LARGEST)
            self.power[place] = np.where(infinite, np.inf, power)

    def spread(self):
        """Mean and standard deviation of all finite priorities; NaN where there are none."""
        values = self.value[:, : min(self.end, self.kept)]
        values = values[np.isfinite(values)]
        if not len(values):
            return np.nan, np.nan
        return values.mean(dtype=np.float64), values.std(dtype=np.float64)

    def weights(self, env, first, count):
        """Weights [M, count] of the windows that start at first [M], first + 1, ... in env [M]."""
        times = first[:, None] + np.arange(count + self.window - 1)
        power = self.power[env[:, None], times % self.kept].astype(np.float64)
        most, total = sliding(power, self.window)
        with np.errstate(invalid="ignore"):  # zero times infinity
            mixed = self.maxfrac * most + (1 - self.maxfrac) * (total / self.window)
        return np.where(np.isinf(most), FIRST, mixed)

    def state(self):
        """{name: array} for `restore`."""
        size = min(self.end, self.kept)
        found = {"value": self.value[:, :size], "unseen": np.array(self.unseen)}
        found["span"] = np.array([self.oldest, self.end])
        return found | ({} if self.power is self.value else {"power": self.power[:, :size]})

    def restore(self, state):
        """Continue from an earlier `state`."""
        size = state["value"].shape[1]
        self.value[:, :size], self.unseen = state["value"], float(state["unseen"])
        if self.power is not self.value:
            self.power[:, :size] = state["power"]
        self.oldest, self.end = state["span"].tolist()


def sliding(values, length):
    """Maximum and sum [M, T - length + 1] of `length` neighbours in values [M, T].

    Sums are made of sums over 1, 2, 4, ... neighbours, so that the one of a window does not depend
    on what else is asked for.
    """
    reach, done, size = values.shape[1] - length + 1, 0, 1
    most, total, peak, double = -np.inf, 0.0, values, values
    while True:
        if length & size:
            most = np.maximum(most, peak[:, done : done + reach])
            total = total + double[:, done : done + reach]
            done += size
        if done == length:
            return most, total
        peak = np.maximum(peak[:, :-size], peak[:, size:])
        double = double[:, :-size] + double[:, size:]
        size *= 2
