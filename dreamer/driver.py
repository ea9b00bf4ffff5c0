"""Steps environments with a policy and hands out rows; training and recording share it.

In the shapes, N is environments.
"""

import time
import warnings

import jax
import numpy as np

from dreamer.envs import vector
from dreamer.spaces import HIDDEN
from jobs.errors import Refused

DEATHS = 3  # of a worker in one step, after which it is no accident
STREAM = 1  # apart from the keys of initialisation and training, which share the seed


class Driver:
    """Environments and a policy in lockstep.

    `policy(carry, observation, keys) -> carry, action, activations` gets the observation keys and
    `is_first` [N], and one key per environment. A key depends on seed, environment, the episode's
    number and the step within it alone, so an episode does not depend on what was played beside
    or before it. `episodes` are the reset counters of the environments' first episodes.
    """

    def __init__(self, envs, policy, carry, seed, episodes=None):
        self.envs, self.policy, self.carry = envs, policy, carry
        self.count = envs.num_envs
        self.episode = np.zeros(self.count, np.int64) if episodes is None else np.array(episodes)
        self.age = np.zeros(self.count, np.int64)  # steps since the reset
        self.action = self.over = None
        self.actions = [[] for _ in range(self.count)]  # taken since the reset
        self.seconds = {"env": 0.0, "policy": 0.0}
        self._root = root(seed)

    def step(self):
        """The next row: {observation keys, action, reward, is_first, is_last, is_terminal, ...}.

        All values are arrays [N, ...]. Action and activations come from this row's observation;
        the reward came with it. `info` is the environments' own (gymnasium's vector format);
        observations for the logs alone are in there too.
        """
        start = time.perf_counter()
        row = self._reset() if self.action is None else self._advance()
        middle = time.perf_counter()
        seen = row.pop("observation")
        keys = step_keys(self._root, self.episode, self.age)
        observation = {**seen, "is_first": row["is_first"]}
        self.carry, action, activations = self.policy(self.carry, observation, keys)
        self.action, self.over = np.asarray(action), row["is_last"]
        self.seconds["env"] += middle - start
        self.seconds["policy"] += time.perf_counter() - middle
        activations = {name: np.asarray(value) for name, value in activations.items()}
        return {**seen, **row, "action": self.action, **activations}

    def position(self):
        """What `resume` and the environments need to continue: plain lists, and action [N]."""
        return {
            "episode": self.episode.tolist(),
            "actions": [np.asarray(taken).tolist() for taken in self.actions],
            "action": self.action.tolist(),
            "over": self.over.tolist(),
        }

    def resume(self, position):
        """Continue after `position`: every environment plays its actions since the reset again.

        Those with fewer actions are reset later, so that all end with the same step.
        """
        self.episode = np.array(position["episode"])
        self.actions = [list(taken) for taken in position["actions"]]
        self.age = np.array([len(taken) for taken in self.actions])
        kind = self.envs.single_action_space.dtype
        self.action, self.over = np.array(position["action"], kind), np.array(position["over"])
        self._survive(self._replay)

    def _survive(self, play, *arguments):
        """What `play` returns; if a worker dies, new ones replay what was played and try again."""
        dead = False
        for _ in range(DEATHS):
            try:
                if dead:
                    self.envs.restart()
                    self._replay()
                return play(*arguments)
            except vector.DEAD:
                dead = True
                warnings.warn(
                    "the process of an environment died; all are started again and replay the "
                    f"{self.age.sum()} actions since their resets",
                    stacklevel=2,
                )
        raise Refused(
            f"the process of an environment died {DEATHS} times in the same step, after "
            f"{self.age.tolist()} steps of the episodes {self.episode.tolist()}; look for the "
            "reason in the system's log (out of memory?)"
        )

    def _replay(self):
        """Bring environments to where `actions` led."""
        if self.action is None:
            self.envs.set_attr("n_resets", self.episode.tolist())
            return
        longest = self.age.max()
        for past in range(longest, -1, -1):
            self._restart(past == longest, self.age - past)
            if past:
                self.envs.step(self._replayed(self.age - past))

    def _restart(self, every, places):
        """Reset the environments at place 0 of their replay, or all of them, which comes first."""
        begin = places == 0
        if every or begin.any():
            self.envs.set_attr("n_resets", (self.episode + (places > 0)).tolist())
            self.envs.reset(options=None if every else {"reset_mask": begin})

    def _replayed(self, places):
        """Recorded actions [N] at these places; at negative ones any action will do."""
        actions = np.zeros_like(self.action)
        for env, place in enumerate(places):
            if place >= 0:
                actions[env] = self.actions[env][place]
        return actions

    def _reset(self):
        observation, info = self._survive(self.envs.reset)
        no = np.zeros(self.count, bool)
        return _row(observation, np.zeros(self.count, np.float32), ~no, no, no, info)

    def _advance(self):
        observation, reward, terminal, cut, info = self._survive(self.envs.step, self.action)
        first = self.over
        for taken, action, over in zip(self.actions, self.action, first, strict=True):
            taken.clear() if over else taken.append(action)
        self.episode += first
        self.age = np.where(first, 0, self.age + 1)
        return _row(observation, reward.astype(np.float32), first, terminal | cut, terminal, info)


def _row(observation, reward, first, last, terminal, info):
    flags = {"is_first": first, "is_last": last, "is_terminal": terminal}
    hidden = {name: observation[name] for name in observation if name.startswith(HIDDEN)}
    seen = {name: observation[name] for name in observation if name not in hidden}
    return {"observation": seen, "reward": reward, **flags, "info": info | hidden}


def root(seed):
    """The key from which those of all steps follow."""
    return jax.random.fold_in(jax.random.key(seed), STREAM)


@jax.jit
def step_keys(root, episode, age):
    """Keys [N] of the environments' steps number `age` [N] in their episodes `episode` [N]."""
    numbers = (jax.numpy.arange(len(age)), episode, age)

    def key(*words):
        found = root
        for word in words:
            found = jax.random.fold_in(found, word)
        return found

    return jax.vmap(key)(*numbers)
