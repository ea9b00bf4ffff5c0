"""What environments tell for the logs alone: observations and `info` whose name starts with `log_`.

Each number gives its mean, largest value and sum over an episode, and words are left out; the agent
never sees them and the replay never holds them.
"""

import numpy as np

from dreamer.spaces import HIDDEN


class Logged:
    """Running sums over the episodes of N environments."""

    def __init__(self, envs):
        self.sums = [{} for _ in range(envs)]  # {name: [steps, sum, largest]}

    def add(self, row):
        """Take a row of the driver."""
        info = row["info"]
        names = [name for name in info if name.startswith(HIDDEN)]
        for env, first in enumerate(row["is_first"]):
            if first:
                self.sums[env] = {}
            for name in names:
                told = f"_{name}" not in info or info[f"_{name}"][env]
                value = np.asarray(info[name][env])
                if told and value.size == 1 and value.dtype.kind in "biuf":
                    self._count(env, name, float(value.ravel()[0]))

    def episode(self, env):
        """{name: number} of the episode that just ended in an environment."""
        found = {}
        for name, (steps, total, largest) in sorted(self.sums[env].items()):
            found |= {f"{name}/mean": total / steps, f"{name}/max": largest, f"{name}/sum": total}
        return found

    def _count(self, env, name, value):
        steps, total, largest = self.sums[env].get(name, (0, 0.0, value))
        self.sums[env][name] = [steps + 1, total + value, max(largest, value)]
