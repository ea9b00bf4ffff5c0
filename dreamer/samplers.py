"""Which windows of the replay are trained on next: the option `replay.sampler`.

A sampler has the methods of `windows.Uniform`. docs/replay.md says what each of them is for.
"""

import numpy as np

from dreamer.cached import Cached
from dreamer.curious import Curious
from dreamer.prioritized import Prioritized
from dreamer.windows import Recency, Uniform

KINDS = {
    "uniform": lambda envs, window, kept, settings: Uniform(envs, window),
    "uncertainty": Prioritized,
    "uncertainty_inf": Prioritized,
    "uncertainty_clipping": Prioritized,
    "uncertainty_caching": Cached,
    "priority": Prioritized,
    "recency": lambda envs, window, kept, settings: Recency(envs, window, settings["recency"]),
    "curious": Curious,
}


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


def make(envs, window, kept, settings):
    """The sampler of windows of `window` rows; an environment keeps `kept` rows.

    `settings` is the block `replay` of the options.
    """
    return KINDS[settings["sampler"]](envs, window, kept, settings)
