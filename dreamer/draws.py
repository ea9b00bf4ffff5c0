"""What was drawn from the replay, for the logs; it decides nothing.

In the shapes, N is environments, B windows.
"""

import numpy as np

QUANTILES = (10, 50, 90)  # percent


class Draws:
    """Ages of the trained steps since `clear`, and which of the kept ones were never among them."""

    def __init__(self, envs, window, kept):
        self.envs, self.window, self.kept = envs, window, kept
        self.seen = np.zeros((envs, kept), bool)
        self.oldest = self.end = 0
        self._newest = []  # age of the last step of each window, in rows

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        self.seen[:, np.arange(max(self.end, oldest), end) % self.kept] = False
        self.oldest, self.end = oldest, end

    def add(self, windows):
        """Windows [B, 2] are about to be trained on, all but their first step."""
        time = windows[:, 1:] + np.arange(1, self.window)
        self.seen[windows[:, :1], time % self.kept] = True
        self._newest += (self.end - self.window - windows[:, 1]).tolist()

    def ages(self):
        """Ages of all steps since `clear`, in environment steps; the newest step has age 0."""
        newest = np.array(self._newest, np.int64)[:, None]
        return self.envs * (newest + np.arange(self.window - 1)).ravel()

    def measure(self):
        """Quantiles of the ages, and the share of the kept steps that was never drawn."""
        ages, size = self.ages(), min(self.end, self.kept)
        found = np.percentile(ages, QUANTILES) if len(ages) else [np.nan] * len(QUANTILES)
        ages = {f"age_p{name}": float(age) for name, age in zip(QUANTILES, found, strict=True)}
        seen = np.count_nonzero(self.seen[:, :size])
        return ages | {"never_drawn": 1 - seen / (self.envs * size) if size else np.nan}

    def clear(self):
        """Begin a new row of the log."""
        self._newest = []

    def state(self):
        """{name: array} for `restore`."""
        seen = self.seen[:, : min(self.end, self.kept)]
        return {"seen": np.packbits(seen, axis=1), "newest": np.array(self._newest, np.int64)}

    def restore(self, state, oldest, end):
        """Continue from an earlier `state`, at which there were these rows."""
        size = min(end, self.kept)
        self.seen[:, :size] = np.unpackbits(state["seen"], axis=1, count=size)
        self._newest, self.oldest, self.end = state["newest"].tolist(), oldest, end
