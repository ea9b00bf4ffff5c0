"""Crafter's rules, made reproducible: one seed, one game, on every machine and in every process.

Crafter keeps the objects of a chunk in a set ordered by memory address, so which creature is
removed differs from run to run. Here they are ordered by their index in their own world.
"""

import functools
from collections import defaultdict

import crafter
import numpy as np
from crafter import constants, engine, objects
from scipy import ndimage

from dreamer.envs import crafter_terrain

CHUNK = (12, 12)
OUTSIDE = len(constants.materials) + 1  # what a window shows beyond the edge; 0 is no material
MATERIALS = ["none", *constants.materials]
WALKABLE = [MATERIALS.index(name) for name in sorted(constants.walkable)]
MOBS = (objects.Zombie, objects.Skeleton)
NEAR = 18  # tiles from the player within which objects move: twice Crafter's view


class Chunk:
    """The objects of one chunk, iterated like a set of their indices in their world."""

    def __init__(self, everything):
        self._everything, self._indices = everything, set()

    def __iter__(self):
        return (self._everything[index] for index in self._indices)

    def add(self, obj):
        self._indices.add(obj.index)

    def remove(self, obj):
        self._indices.remove(obj.index)


class World(engine.World):
    """Crafter's world with ordered chunks, in which objects of the classes `banned` never appear.

    `terrain` holds material ids, `occupied` object indices (0: none), both [W, H], x first. Only
    `world[pos] = material` may change the terrain once `count_in` was asked.
    """

    def __init__(self, area, banned=()):
        self._banned = banned
        super().__init__(area, constants.materials, CHUNK)

    def reset(self, seed=None):
        super().reset(seed)
        self._chunks = defaultdict(lambda: Chunk(self._objects))
        self._counts = {}

    def __setitem__(self, pos, material):
        super().__setitem__(pos, material)
        self._counts.clear()

    @property
    def terrain(self):
        return self._mat_map

    @property
    def occupied(self):
        return self._obj_map

    def add(self, obj):
        if not isinstance(obj, self._banned):
            obj.index = len(self._objects)
            super().add(obj)

    def count_in(self, chunk, material):
        """Tiles of a material in a chunk (x from, x to, y from, y to)."""
        if (chunk, material) not in self._counts:
            self._counts[chunk, material] = int(self.mask(*chunk, material).sum())
        return self._counts[chunk, material]

    def window(self, start, grid):
        """Material ids [grid], OUTSIDE beyond the edge, and [(place in the window, object)]."""
        here, inside = zip(*map(_overlap, start, grid, self.area), strict=True)
        ids = np.full(grid, OUTSIDE, np.uint8)
        ids[inside] = self._mat_map[here]
        found = self._obj_map[here]
        x, y = found.nonzero()
        present = [self._objects[index] for index in found[x, y]]
        places = zip((x + inside[0].start).tolist(), (y + inside[1].start).tolist(), strict=True)
        return ids, list(zip(places, present, strict=True))

    def near(self, pos, distance):
        """Objects less than `distance` steps from a tile, the oldest first."""
        reach = 2 * distance - 1
        (here, _), (there, _) = (
            _overlap(place - distance + 1, reach, side)
            for place, side in zip(pos, self.area, strict=True)
        )
        found = self._obj_map[here, there]
        x, y = found.nonzero()
        away = np.abs(x + here.start - pos[0]) + np.abs(y + there.start - pos[1])
        return [self._objects[index] for index in np.sort(found[x, y][away < distance]).tolist()]


def _overlap(start, count, side):
    """Slices of the world, and of a window of `count` tiles from `start` on, where both are."""
    low, high = max(0, int(start)), min(int(start) + int(count), side)
    return slice(low, high), slice(low - int(start), high - int(start))


class Game(crafter.Env):
    """Crafter's rules alone: nothing is drawn, and objects move as far away as in Crafter's 9 x 9.

    Drawing noise takes numbers from the world's generator, so who draws is who steps: once a step,
    before the creatures of the next step move.
    """

    def __init__(self, area, length, mobs):
        warm_up()
        super().__init__(area=area, length=length, seed=0)
        self._world = World(area, () if mobs else MOBS)

    @property
    def world(self):
        return self._world

    @property
    def player(self):
        return self._player

    @property
    def textures(self):
        return self._textures

    def start(self, world_seed, episode, random=None):
        """Begin the episode counted from 0; with a generator, on a tile that it chooses."""
        self._step = 0
        self._world.reset(hash((world_seed, episode + 1)) % (2**31 - 1))
        self._update_time()
        self._player = objects.Player(self._world, np.array(self._area) // 2)
        self._world.add(self._player)
        crafter_terrain.generate(self._world, self._player)
        self._health, self._unlocked = self._player.health, set()
        if random is not None:
            tiles = spawn_tiles(self._world, self._player.pos)
            self._world.move(self._player, tiles[random.integers(len(tiles))])

    def step(self, action):
        """(reward, whether the player died, whether the time is over) after an action's index."""
        self._step += 1
        self._update_time()
        self._player.action = constants.actions[action]
        self._move()
        if self._step % 10 == 0:
            for chunk, objs in self._world.chunks.items():
                self._balance_chunk(chunk, objs)
        reward = (self._player.health - self._health) / 10 + self._unlock()
        self._health = self._player.health
        return reward, self._player.health <= 0, self._step >= self._length

    def _move(self):
        """The player moves first, then what is near and not new; nothing moves another object."""
        player, last = self._player, self._world.objects[-1].index
        player.update()
        for obj in self._world.near(player.pos, NEAR):
            if obj is not player and obj.index <= last:
                obj.update()

    def _unlock(self):
        """1.0 in a step with a first achievement of its kind."""
        found = {name for name, count in self._player.achievements.items() if count}
        new = found - self._unlocked
        self._unlocked |= new
        return 1.0 if new else 0.0

    def _balance_object(self, chunk, objs, cls, material, *rules):
        """Crafter's own, which does nothing and draws nothing while the numbers are in range."""
        count = sum(isinstance(obj, cls) for obj in objs)
        least, most = rules[-1](count, self._world.count_in(chunk, material))
        if not int(least) <= count <= int(most):
            super()._balance_object(chunk, objs, cls, material, *rules)


def spawn_tiles(world, player):
    """Tiles [M, 2] that are free of objects and reachable on foot from the player's tile [2]."""
    islands, _ = ndimage.label(np.isin(world.terrain, WALKABLE))
    free = (islands == islands[tuple(player)]) & (world.occupied == 0)
    return np.argwhere(free)


@functools.cache
def warm_up():
    """Compile the terrain's noise, or load it from numba's cache, once per process."""
    crafter_terrain.Noise(0)(np.zeros(1), np.zeros(1), 0, {1: 1})
