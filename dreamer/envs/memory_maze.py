"""Memory Maze (Pasukonis et al. 2022): which object is wanted changes; where they are does not.

The agent sees a picture whose border has the colour of the object to walk to. Where it is, and
which of the four ways it looks mostly, travels beside in `info`.
"""

import numpy as np

from dreamer.columns import VITALS
from dreamer.envs import drawing, extras
from dreamer.envs.adapter import Adapter
from dreamer.envs.deepmind import DeepMind
from jobs.errors import Refused

SIZES = ("9x9", "11x11", "13x13", "15x15")
ACTIONS = ["noop", "forward", "left", "right", "forward_left", "forward_right"]
WALL, FLOOR = 0, 1


def make(options, world_seed, spawn_seed, name):
    """The maze of a size (`9x9`) for the options env.memory_maze, or a refusal."""
    if name not in SIZES:
        raise Refused(f"there is no memory maze '{name}'; there are {', '.join(SIZES)}")
    drawing.choose("memory_maze")
    maze = getattr(extras.load("memory_maze.tasks", "memory_maze"), f"memory_maze_{name}")
    side = int(name.split("x")[0])
    world = {
        "actions": ACTIONS,
        "materials": ["wall", "floor"],
        "walkable": [FLOOR],
        "enterable": [FLOOR],
        "area": (side, side),
        "absent": sorted(VITALS),
    }
    env = Maze(lambda seed: maze(seed=seed, global_observables=True), told=told, world=world)
    return Adapter(env, spawn_seed, "^image$", options["size"], tile=options["tile"])


class Maze(DeepMind):
    """A maze whose walls are told at the reset, and after it that none changed."""

    def reset(self, *, seed=None, options=None):
        """Begin an episode in a new maze."""
        seen, info = super().reset(seed=seed)
        self._walls = info["layout"]
        return seen, {**info, "terrain": self._walls}

    def step(self, action):
        """Gymnasium's five values."""
        *rest, info = super().step(action)
        return *rest, {**info, "terrain_changed": np.zeros_like(self._walls)}


def told(observation, env):
    """Position [x, y] with y downward, the nearest facing, and the free tiles [W, H]."""
    layout = np.asarray(observation["maze_layout"], np.uint8).T
    (x, y), (right, up) = observation["agent_pos"], observation["agent_dir"]
    height = layout.shape[1]
    facing = int(right > 0) if abs(right) >= abs(up) else 2 + int(up < 0)
    return {
        "position": np.array([x, height - y]),
        "facing": facing,
        "layout": np.where(layout[:, ::-1], FLOOR, WALL).astype(np.uint8),
    }
