"""Environments of DeepMind's interface dm_env (Muldal et al. 2019) as Gymnasium's."""

import gymnasium
import numpy as np
from gymnasium import spaces


class DeepMind(gymnasium.Env):
    """What `begin(seed)` gives, a dm_env.Environment for one episode, the same one or a new one.

    `told(observation, env)` gives the `info` of a step, `see(observation, env)` what is seen of it;
    `shown` are spaces of what `see` adds to the environment's own observations, {} for none.
    """

    def __init__(self, begin, see=None, shown=None, told=None, world=None):
        self._begin, self._env = begin, begin(0)
        self._see = see or (lambda observation, env: observation)
        self._tell = told or (lambda observation, env: {})
        spec = self._env.observation_spec()
        if hasattr(spec, "items"):
            found = {name: _space(item) for name, item in spec.items()}
            self.observation_space = spaces.Dict(found | (shown or {}))
        else:
            self.observation_space = _space(spec)
        self.action_space = _space(self._env.action_spec())
        self.world = world or {}

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        super().reset(seed=seed)
        self._env = self._begin(int(self.np_random.integers(2**31)))
        now = self._env.reset()
        return self._look(now), self._tell(now.observation, self._env)

    def step(self, action):
        """Gymnasium's five values; the end is by time unless nothing counts after it."""
        now = self._env.step(action)
        dead = bool(now.last() and now.discount == 0)
        info = self._tell(now.observation, self._env)
        return self._look(now), float(now.reward or 0), dead, now.last() and not dead, info

    def close(self):
        """Close the environment."""
        self._env.close()

    def _look(self, now):
        seen = self._see(now.observation, self._env)
        kinds = self.observation_space
        if isinstance(kinds, spaces.Dict):
            return {name: np.asarray(seen[name], kinds[name].dtype) for name in kinds.spaces}
        return np.asarray(seen, kinds.dtype)


def _space(spec):
    """Gymnasium's space of a dm_env spec; numbers are float32."""
    if hasattr(spec, "num_values"):
        return spaces.Discrete(int(spec.num_values))
    if spec.dtype == np.uint8:
        return spaces.Box(0, 255, spec.shape, np.uint8)
    low, high = (
        getattr(spec, name, end) for name, end in (("minimum", -np.inf), ("maximum", np.inf))
    )
    low, high = (np.broadcast_to(end, spec.shape).astype(np.float32) for end in (low, high))
    return spaces.Box(low, high, spec.shape, np.float32)
