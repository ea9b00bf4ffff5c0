"""Crafter (Hafner 2021) as a Gymnasium environment that is reproducible from its seeds.

An episode is fully described by (world_seed, spawn_seed, n_resets, options, actions). The agent
sees the image only, and where it is only if the option player_pos asks for it; where it is and what
the world looks like travels beside it in `info`.
In the shapes, W x H is the world in tiles; x comes first and y grows downward.
"""

import gymnasium
import numpy as np
from crafter import constants

from dreamer import checks
from dreamer.envs import crafter_game, crafter_view
from dreamer.envs.numbered import Numbered
from dreamer.trajectory import FACINGS, POSITION, VITALS
from jobs.errors import Refused

ACHIEVEMENTS = sorted(constants.achievements)
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
FACING = {DIRECTIONS[name]: index for index, name in enumerate(FACINGS)}


def make(options, world_seed, spawn_seed):
    """The environment for the options env.crafter, or a refusal; both seeds are whole numbers."""
    checks.check_crafter(options)
    return Crafter(options, world_seed, spawn_seed)


class Crafter(Numbered):
    """Crafter with position, facing, vitals and achievements in `info` at every step.

    `info` of a reset also has `terrain` (material ids [W, H]), that of an episode's last step
    `terrain_changed` (1 where a tile was modified). `n_resets` counts the resets so far.
    """

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"
    action_space = gymnasium.spaces.Discrete(len(constants.actions))

    def __init__(self, options, world_seed, spawn_seed):
        super().__init__(world_seed, spawn_seed)
        self._options = options
        self.observation_space = _space(options)
        self._game = crafter_game.Game(
            tuple(options["area"]), options["length"], not options["disable_mobs"]
        )
        self._camera = crafter_view.Camera(
            self._game.world, self._game.textures, options["egocentric_view"]
        )

    @property
    def world(self):
        """What the ids in `info` and the actions mean, for the header of a recording."""
        return {
            "actions": list(constants.actions),
            "achievements": ACHIEVEMENTS,
            "materials": crafter_game.MATERIALS,
            "walkable": crafter_game.WALKABLE,
            "enterable": [*crafter_game.WALKABLE, crafter_game.MATERIALS.index("lava")],
            "area": list(self._options["area"]),
            "absent": [],
        }

    def reset(self, *, seed=None, options=None):
        """Begin the next episode, or the one after options["n_resets"] resets.

        A `seed` replaces both seeds and counts the resets from zero.
        """
        number = self.begin(seed, options)
        world_seed, spawn_seed = self._seeds
        spawn = self._options["random_spawn"]
        self._game.start(
            world_seed,
            0 if self._options["fixed_seed"] else number,
            np.random.default_rng([spawn_seed, number]) if spawn else None,
        )
        self._terrain = self._game.world.terrain.copy()
        self._changed = np.zeros_like(self._terrain)
        return self._observe(), {**self._info(), "terrain": self._terrain.copy()}

    def step(self, action):
        """Gymnasium's five values; death terminates, the time limit truncates."""
        reward, dead, late = self._game.step(action)
        self._changed |= self._game.world.terrain != self._terrain
        info = self._info()
        if dead or late:
            info["terrain_changed"] = self._changed
        return self._observe(), reward, dead, late and not dead, info

    def render(self):
        """Picture [64, 64, 3] of now; its noise is its own, so the episode does not change."""
        world = self._game.world
        world.random, kept = np.random.RandomState(0), world.random
        try:
            return self._camera(self._game.player)
        finally:
            world.random = kept

    def world_image(self, unit=8):
        """Picture [H * unit, W * unit, 3] of the whole world by day, `unit` pixels per tile."""
        area = np.array(self._options["area"])
        world = self._game.world
        whole = crafter_view.Map(world, self._game.textures, area, (unit, unit))
        return whole.canvas(area // 2).transpose(1, 0, 2)

    def _observe(self):
        """The one drawing per step that may take numbers from the world's generator."""
        player = self._game.player
        seen = {"image": self._camera(player)}
        if self._options.get("player_pos"):
            seen[POSITION] = np.array(player.pos, np.float32)
        return seen

    def _info(self):
        player = self._game.player
        achieved = [player.achievements[name] for name in ACHIEVEMENTS]
        return {
            "position": np.array(player.pos, np.int32),
            "facing": FACING[tuple(player.facing)],
            "vitals": np.array([player.inventory[name] for name in VITALS], np.int32),
            "achievements": np.array(achieved, np.int32),
        }


def _space(options):
    """The image, and where the option player_pos asks for it the position in tiles."""
    size = crafter_view.SIZE
    seen = {"image": gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)}
    if options.get("player_pos"):
        seen[POSITION] = gymnasium.spaces.Box(0, max(options["area"]) - 1, (2,), np.float32)
    return gymnasium.spaces.Dict(seen)


def check_varied(options, sample):
    """Refuse to play several episodes that would all be the same; `sample`: actions are sampled."""
    if options["fixed_seed"] and not options["random_spawn"] and not sample:
        raise Refused(
            "every episode would be the same: the world and the spawn are fixed and the most "
            "probable action is always taken; set env.crafter.random_spawn or the option sample"
        )
