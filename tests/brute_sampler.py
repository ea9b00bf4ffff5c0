"""Samplers as their definition says, window by window and step by step, to compare others with."""

import numpy as np

SIGNAL = {"priority": "beliefs", "curious": "model"}


class Brute:
    """Any sampler of the option `replay.sampler`; all times are of one environment."""

    def __init__(self, envs, window, kept, settings):
        self.envs, self.window, self.kept, self.settings = envs, window, kept, settings
        self.name, self.oldest, self.end = settings["sampler"], 0, 0
        self.priority, self.visits = {}, {}  # visits before the last one
        infinite = self.name == "priority" and settings["initial"] == "inf"
        self.unseen = np.inf if infinite or self.name == "uncertainty_inf" else 1.0
        if self.name == "curious":
            self.unseen = settings["curious"]["initial"]

    def add(self):
        """One row of every environment; whether a pass over the replay is due."""
        before, after = self.end * self.envs, (self.end + 1) * self.envs
        known = [value for value in self.priority.values() if np.isfinite(value)]
        every = self.settings["stats_every"]
        if before // every < after // every and known and np.isfinite(self.unseen):
            mean_std = self.name != "curious"
            self.unseen = np.mean(known) + np.std(known) if mean_std else self.unseen
        for env in range(self.envs):
            self.priority[env, self.end] = self.unseen
            self.priority.pop((env, self.end - self.kept), None)
        self.end += 1
        self.oldest = max(0, self.end - self.kept)
        every = self.settings["cache_every"]
        return before // every < after // every and self.end >= self.window

    def learn(self, windows, signal):
        """Signals {name: [B, T]} of the trained rows, all but each window's first."""
        found = signal[SIGNAL.get(self.name, "kl")]
        steps = [[(env, time + i) for i in range(1, self.window)] for env, time in windows]
        for step in (step for row in steps for step in row if step in self.priority):
            self.visits[step] = self.visits.get(step, -1) + 1
        for row, values in zip(steps, found, strict=True):
            for step, value in zip(row, values, strict=True):
                if step in self.priority:
                    self.priority[step] = self._of(step, float(value))

    def zero(self, window):
        """What drawing a window does."""
        if self.name not in ("uniform", "recency", "uncertainty_caching"):
            env, time = window
            self.priority |= {(env, time + i): 0.0 for i in range(self.window)}

    def law(self):
        """{window: probability} of the next draw."""
        starts = range(self.oldest, self.end - self.window + 1)
        windows = [(env, start) for env in range(self.envs) for start in starts]
        weights = np.array([self.weight(*window) for window in windows])
        if np.isinf(weights).any():
            weights = np.isinf(weights) * 1.0
        weights = weights if weights.any() else np.ones(len(windows))
        return dict(zip(windows, weights / weights.sum(), strict=True))

    def weight(self, env, start):
        """Weight of a window."""
        if self.name == "uniform":
            return 1.0
        if self.name == "recency":
            return 1 / (self.end - self.window - start + 1) ** self.settings["recency"]
        plain = self.name in ("curious", "uncertainty_caching")
        power = 1 if plain else self.settings["exponent"]
        found = [self.priority[env, start + i] ** power for i in range(self.window)]
        share = self.settings["maxfrac"]
        return share * max(found) + (1 - share) * sum(found) / self.window

    def _of(self, step, value):
        if self.name == "curious":
            o = self.settings["curious"]
            return o["c"] * o["beta"] ** self.visits[step] + (value + o["eps"]) ** o["alpha"]
        return max(1.0, value) if self.name == "uncertainty_clipping" else value


def marginals(brute, count):
    """Laws {window: probability} of the first, second, ... window of one batch."""
    found = [{}]
    for window, share in brute.law().items():
        found[0][window] = share
        if count > 1 and share:
            before = dict(brute.priority)
            brute.zero(window)
            for place, law in enumerate(marginals(brute, count - 1), 1):
                found += [{}] * (place == len(found))
                for other, part in law.items():
                    found[place][other] = found[place].get(other, 0.0) + share * part
            brute.priority = before
    return found
