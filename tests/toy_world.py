"""A small arena whose image says where the agent stands, for tests of everything around an agent.

It follows the interface of `dreamer.envs.crafter`; its task name is `tests.toy_world`. The arena is
7 x 5 with a wall of one tile around it; a move into the wall turns the agent and moves nothing.
"""

from functools import partial

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dreamer import tasks, trajectory
from dreamer.envs import vector

AREA = (7, 5)
ACTIONS = ("noop", "left", "right", "up", "down")
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])


def free():
    """True where the agent can stand, [W, H]."""
    mask = np.zeros(AREA, bool)
    mask[1:-1, 1:-1] = True
    return mask


def picture(position, facing):
    """The image [64, 64, 3] of a state; its first pixel is (x, y, facing)."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[0, 0] = (*position, facing)
    return image


class Arena(gymnasium.Env):
    """Random spawn; an episode ends by death after 6 to 12 steps or by the limit at 13."""

    observation_space = gymnasium.spaces.Dict(
        image=gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    )
    action_space = gymnasium.spaces.Discrete(len(ACTIONS))
    world = {
        "actions": list(ACTIONS),
        "achievements": ["turn"],
        "materials": ["wall", "floor"],
        "walkable": [1],
        "enterable": [1],
        "area": list(AREA),
        "absent": [],
    }

    def __init__(self, spawn_seed):
        self.spawn_seed, self.n_resets = spawn_seed, 0

    def reset(self, *, seed=None, options=None):
        self.n_resets = (options or {}).get("n_resets", self.n_resets)
        rng = np.random.default_rng([self.spawn_seed, self.n_resets])
        self.n_resets += 1
        self.position = np.array([rng.integers(1, 6), rng.integers(1, 4)])
        self.end, self.time, self.turns = int(rng.integers(6, 15)), 0, 0
        self.facing = trajectory.FACINGS.index("down")
        observation, info = self._view()
        return observation, info | {"terrain": free().astype(np.uint8)}

    def step(self, action):
        self.time += 1
        move = MOVES[action]
        if action:
            facing, self.facing = self.facing, int(action) - 1
            self.turns += facing != self.facing
        if free()[tuple(self.position + move)]:
            self.position = self.position + move
        dead, late = self.time == self.end, self.time == 13
        observation, info = self._view()
        if dead or late:
            info["terrain_changed"] = np.zeros(AREA, np.uint8)
        return observation, float(self.facing), dead, late, info

    def _view(self):
        info = {
            "position": self.position.copy(),
            "facing": self.facing,
            "vitals": np.array([9, 8, 7, 6]),
            "achievements": np.array([self.turns]),
        }
        return {"image": picture(self.position, self.facing)}, info


def make(options, world_seed, spawn_seed):
    """An arena; there are no options."""
    return Arena(spawn_seed)


def in_process(task, options, count, seed, spawn_seed=None, first=None):
    """`dreamer.envs.vector.make` without worker processes, which take seconds to start."""
    args = (
        task,
        options.get(tasks.find(task).block, {}),
        seed,
        seed if spawn_seed is None else spawn_seed,
    )
    makers = [partial(vector.build, *args, index) for index in range(count)]
    envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.NEXT_STEP)
    envs.set_attr("n_resets", first or [0] * count)
    return envs
