"""Actions of any Gymnasium environment, in the form in which agents give them."""

import numpy as np
from gymnasium import spaces

from jobs.errors import Refused


class Actions:
    """Calls turn an agent's action, one of `self.space`, into one of the environment's `space`.

    Categories count from 0. Numbers with bounds are within [-1, 1] and clipped to that; numbers
    without stay as they are.
    """

    def __init__(self, space):
        self._original = space
        if isinstance(space, spaces.Discrete):
            self.space, self._convert = spaces.Discrete(int(space.n)), self._index
        elif isinstance(space, spaces.MultiDiscrete):
            self.space, self._convert = spaces.MultiDiscrete(space.nvec), self._indices
        elif isinstance(space, spaces.MultiBinary):
            counts = np.full(space.shape, 2)
            self.space, self._convert = spaces.MultiDiscrete(counts), self._indices
        elif isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
            self._bounded = np.isfinite(space.low) & np.isfinite(space.high)
            ends = (np.where(self._bounded, end, end * np.inf) for end in (-1.0, 1.0))
            low, high = (end.astype(np.float32) for end in ends)
            self.space, self._convert = spaces.Box(low, high, dtype=np.float32), self._numbers
        else:
            raise Refused(
                f"the action is a {type(space).__name__} space, but agents here act by Discrete, "
                "MultiDiscrete, MultiBinary or Box (of float numbers); wrap the environment"
            )

    def __call__(self, action):
        return self._convert(action)

    def names(self):
        """What the categories of a Discrete space are called without better knowledge."""
        found = self.space
        return [str(index) for index in range(found.n)] if hasattr(found, "n") else []

    def _index(self, action):
        return int(action) + int(self._original.start)

    def _indices(self, action):
        return (np.asarray(action) + getattr(self._original, "start", 0)).astype(
            self._original.dtype
        )

    def _numbers(self, action):
        space, action = self._original, np.asarray(action, np.float64).reshape(self._bounded.shape)
        low, high = (np.where(self._bounded, end, 0.0) for end in (space.low, space.high))
        scaled = low + (np.clip(action, -1, 1) + 1) / 2 * (high - low)
        return np.where(self._bounded, scaled, action).astype(space.dtype)
