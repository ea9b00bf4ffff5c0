"""MiniGrid and BabyAI (Chevalier-Boisvert et al. 2023): rooms of tiles, seen from within.

The agent sees what lies in front of it, as a picture or as categories; where it stands and which
way it looks travels beside in `info`. `direction` can be observed too (enc.keys); the mission
is not given to the agent. With `fixed_seed` all episodes have one layout, and a start anywhere.
"""

import gymnasium
import numpy as np
from gymnasium import spaces
from scipy import ndimage

from dreamer.columns import VITALS
from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

FACING = (1, 3, 0, 2)  # of MiniGrid's right, down, left, up in trajectory.FACINGS
TILE = 8  # pixels
ON = ("empty", "floor", "goal", "door")  # tiles to stand on
DEADLY = ("lava",)


def make(options, world_seed, spawn_seed, name):
    """The environment `name` (`Empty-8x8-v0`, `BabyAI-GoToObj-v0`) for the options env.minigrid."""
    extras.load("minigrid", "minigrid")
    full = name if name.startswith("BabyAI-") else f"MiniGrid-{name}"
    try:
        env = gymnasium.make(full, disable_env_checker=True).unwrapped
    except gymnasium.error.Error as problem:
        text = str(problem).splitlines()[0].rstrip(".")
        raise Refused(f"there is no environment '{full}': {text}") from None
    layout = world_seed if options["fixed_seed"] else None
    room = Room(env, options["view"] == "pixels", layout)
    return Adapter(room, spawn_seed, size=options["size"], length=options["length"])


class Room(gymnasium.Env):
    """MiniGrid with position, facing and terrain in `info`, seen as a picture or as symbols.

    `layout` is the seed of all episodes' rooms; None: each has its own.
    """

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(self, env, picture, layout=None):
        self._env, self._picture, self._layout = env, picture, layout
        kinds = extras.load("minigrid.core.constants", "minigrid")
        side = env.agent_view_size
        if picture:
            seen = spaces.Box(0, 255, (side * TILE, side * TILE, 3), np.uint8)
        else:
            most = [
                max(table.values()) + 1
                for table in (kinds.OBJECT_TO_IDX, kinds.COLOR_TO_IDX, kinds.STATE_TO_IDX)
            ]
            most[2] = max(most[2], 4)  # the state of an agent is its direction
            seen = spaces.MultiDiscrete(np.tile(most, side * side))
        name = "image" if picture else "symbols"
        self.observation_space = spaces.Dict({name: seen, "direction": spaces.Discrete(4)})
        self.action_space = spaces.Discrete(len(env.actions))
        materials = [kinds.IDX_TO_OBJECT[index] for index in range(len(kinds.IDX_TO_OBJECT))]
        standing = [materials.index(item) for item in ON]
        self.world = {
            "actions": [action.name for action in env.actions],
            "materials": materials,
            "walkable": standing,
            "enterable": [*standing, *(materials.index(item) for item in DEADLY)],
            "area": (env.width, env.height),
            "absent": [*VITALS, *([] if picture else ["image"])],
        }

    def reset(self, *, seed=None, options=None):
        """Begin an episode; `info` also has the terrain."""
        super().reset(seed=seed)
        seen = self._begin(seed)
        self._terrain = self._tiles()
        self._changed = np.zeros_like(self._terrain)
        return self._look(seen), {**self._info(), "terrain": self._terrain}

    def step(self, action):
        """Gymnasium's five values; `info` tells which tiles changed so far."""
        seen, reward, dead, late, _ = self._env.step(action)
        self._changed |= self._tiles() != self._terrain
        info = {**self._info(), "terrain_changed": self._changed}
        return self._look(seen), float(reward), dead, late, info

    def render(self):
        """The whole room."""
        return self._env.get_full_render(highlight=True, tile_size=TILE)

    def _begin(self, seed):
        if self._layout is None:
            return self._env.reset(seed=seed)[0]
        self._env.reset(seed=self._layout)
        starts = set(map(tuple, np.argwhere(self._open()).tolist()))
        self._env.np_random = np.random.default_rng(seed)  # of the start, and of what moves
        self._env.agent_pos = (-1, -1)  # none, else the tile of its first start would be taken
        place = self._env.place_obj(None, reject_fn=lambda _, tile: tile not in starts)
        self._env.agent_pos, self._env.agent_dir = place, int(self._env.np_random.integers(4))
        return self._env.gen_obs()

    def _look(self, seen):
        if self._picture:
            view = {"image": self._env.get_pov_render(tile_size=TILE)}
        else:
            view = {"symbols": seen["image"].reshape(-1).astype(np.int64)}
        return {**view, "direction": int(seen["direction"])}

    def _info(self):
        return {
            "position": np.array(self._env.agent_pos, np.int32),
            "facing": FACING[int(self._env.agent_dir)],
        }

    def _tiles(self):
        """Kinds of objects [W, H]."""
        return self._env.grid.encode()[:, :, 0].astype(np.uint8)

    def _open(self):
        """Empty tiles [W, H] that doors connect with the agent's, but not those around rooms."""
        kinds = self._tiles()
        wall, door, empty = map(self.world["materials"].index, ("wall", "door", "empty"))
        rooms, _ = ndimage.label((kinds != wall) & (kinds != door))
        edge = np.concatenate([rooms[[0, -1]].ravel(), rooms[:, [0, -1]].ravel()])
        around = np.isin(rooms, edge[edge > 0])
        inside, _ = ndimage.label((kinds != wall) & ~around)
        return (kinds == empty) & (inside == inside[tuple(self._env.agent_pos)])
