"""Samplers that draw windows by the signals of their steps, from a tree of sums.

In the shapes, B is windows, T the trained rows of a window, M environments of windows.
"""

import numpy as np

from dreamer.priorities import LARGEST, Steps
from dreamer.sumtree import SumTree
from dreamer.windows import Uniform
from jobs.errors import Refused

SIGNALS = {
    "uncertainty": "kl",
    "uncertainty_inf": "kl",
    "uncertainty_clipping": "kl",
    "priority": "beliefs",
    "curious": "model",
}
CLIP = 1.0  # nats, of uncertainty_clipping


class Prioritized(Uniform):
    """A step's priority is the signal of the last update that trained on it.

    When a window is drawn its steps have the priority zero until an update gives them a new one.
    `settings` is the block `replay` of the options.
    """

    exponent = None  # of the priorities; None: the option's

    def __init__(self, envs, window, kept, settings):
        super().__init__(envs, window)
        self.settings, self.kept, name = settings, kept, settings["sampler"]
        exponent = self.exponent or settings["exponent"]
        self.steps = Steps(envs, window, kept, exponent, settings["maxfrac"])
        self.tree = SumTree(envs * kept)
        rule = settings["initial"] if name == "priority" else "mean_std"
        if rule == "inf" or name == "uncertainty_inf":
            self.steps.unseen = np.inf

    def keep(self, oldest, end):
        """Told after every new row of all environments which rows there are now."""
        gone, known = np.arange(self.oldest, min(oldest, self.end)), self.end
        if passed(self.settings["stats_every"], self.envs, known, end):
            self._refresh()
        super().keep(oldest, end)
        self.steps.keep(oldest, end)
        every = np.arange(self.envs)
        self.tree.set(self._places(every[:, None], gone).ravel(), 0.0)
        first = max(known - self.window + 1, oldest)
        if end - self.window >= first:
            self._weigh(every, np.full(self.envs, first), end - self.window + 1 - first)

    def draw(self, rng, count):
        """`count` windows [B, 2] by a numpy Generator, one after the other."""
        found = np.zeros((0, 2), np.int64)
        while len(found) < count:
            more = self._some if self.tree.total else super().draw
            found = np.concatenate([found, more(rng, count - len(found))])
        return found

    def learn(self, windows, signal):
        """Told after an update the signal {name: [B, T]} of the trained rows (the last T)."""
        env, time = windows[:, :1], windows[:, 1:] + np.arange(1, self.window)
        env, kept = np.broadcast_to(env, time.shape), time >= self.oldest
        found = np.nan_to_num(self._signal(signal), nan=0.0)  # training will stop over it
        found = np.clip(found, 0.0, LARGEST)[kept]
        self.steps.put(env[kept], time[kept], self._priority(found, env[kept], time[kept]))
        self._around(windows)

    def measure(self):
        """What to log: {name: number}."""
        mean, std = self.steps.spread()
        found = {"signal_mean": float(mean), "signal_std": float(std)}
        return found | self._spread(self.tree.weights)

    def state(self):
        """What `restore` needs besides `keep`: {name: array}."""
        return self.steps.state()

    def restore(self, state):
        """Continue from an earlier `state`; the tree follows from the steps."""
        self.steps.restore(state)
        self.oldest, self.end = self.steps.oldest, self.steps.end
        self.tree = SumTree(self.tree.size)
        for env in range(self.envs if self.starts else 0):
            self._weigh(np.array([env]), np.array([self.oldest]), self.starts)

    def _refresh(self):
        mean, std = self.steps.spread()
        if np.isfinite(self.steps.unseen) and np.isfinite(mean):
            self.steps.unseen = mean + std

    def _signal(self, signal):
        name = SIGNALS[self.settings["sampler"]]
        if name not in signal:
            raise Refused(
                f"option replay.sampler is '{self.settings['sampler']}', which needs the signal "
                f"'{name}', but the agent's family gives only {sorted(signal)}"
            )
        return signal[name]

    def _priority(self, signal, env, time):
        """Priorities [M] of trained steps."""
        clipped = self.settings["sampler"] == "uncertainty_clipping"
        return np.maximum(CLIP, signal) if clipped else signal

    def _some(self, rng, count):
        """One to `count` windows, each drawn as if those before it had been zeroed at once.

        They were, for windows that share no step with an earlier one. The first that does is kept
        with the probability that its weight kept, which makes draws from the old weights draws
        from the new ones; after it, new draws are needed.
        """
        places, chance = self.tree.draw(rng.random(count)), rng.random()
        windows = np.stack([places // self.kept, self._times(places % self.kept)], 1)
        apart = _apart(windows, self.window)
        if apart < count:
            old = self.tree.weights[places[apart]]
        self._zero(windows[:apart])
        if apart < count and chance * old < self.tree.weights[places[apart]]:
            apart += 1
            self._zero(windows[apart - 1 : apart])
        return windows[:apart]

    def _zero(self, windows):
        time = windows[:, 1:] + np.arange(self.window)
        self.steps.put(windows[:, :1], time, np.zeros(time.shape))
        self._around(windows)

    def _around(self, windows):
        """Weigh all windows anew that share steps with these."""
        self._weigh(windows[:, 0], windows[:, 1] - self.window + 1, 2 * self.window - 1)

    def _weigh(self, env, first, count):
        weights = self.steps.weights(env, first, count)
        starts = first[:, None] + np.arange(count)
        whole = (starts >= self.oldest) & (starts <= self.end - self.window)
        self.tree.set(self._places(env[:, None], starts)[whole], weights[whole])

    def _places(self, env, time):
        return env * self.kept + time % self.kept

    def _times(self, place):
        return self.oldest + (place - self.oldest) % self.kept


def passed(every, envs, known, end):
    """Whether the environment steps reached a multiple of `every` on the way from row to row."""
    return end * envs // every > known * envs // every


def _apart(windows, length):
    """How many of the first windows [B, 2] share no step with an earlier one; at least 1."""
    env, time = windows.T
    near = (env[:, None] == env) & (np.abs(time[:, None] - time) < length)
    met = np.tril(near, -1).any(1)
    return int(met.argmax()) if met.any() else len(windows)
