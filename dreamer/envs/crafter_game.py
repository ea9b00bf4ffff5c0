"""Crafter's rules, made reproducible: one seed, one game, on every machine and in every process.

Crafter keeps the objects of a chunk in a set ordered by memory address, so which creature is
removed differs from run to run. Here they are ordered by their index in their own world.
"""

import functools
from collections import defaultdict

import crafter
import numpy as np
import opensimplex
from crafter import constants, engine, objects
from scipy import ndimage

CHUNK = (12, 12)
OUTSIDE = len(constants.materials) + 1  # what a window shows beyond the edge; 0 is no material
MATERIALS = ["none", *constants.materials]
WALKABLE = [MATERIALS.index(name) for name in sorted(constants.walkable)]
MOBS = (objects.Zombie, objects.Skeleton)


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

    `terrain` holds material ids, `occupied` object indices (0: none), both [W, H], x first.
    """

    def __init__(self, area, banned=()):
        self._banned = banned
        super().__init__(area, constants.materials, CHUNK)

    def reset(self, seed=None):
        super().reset(seed)
        self._chunks = defaultdict(lambda: Chunk(self._objects))

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

    def window(self, start, grid):
        """Material ids [grid], OUTSIDE beyond the edge, and [(place in the window, object)]."""
        low = np.maximum(start, 0)
        high = np.minimum(start + grid, self.area)
        here = tuple(map(slice, low, high))
        ids = np.full(grid, OUTSIDE, np.uint8)
        ids[tuple(map(slice, low - start, high - start))] = self._mat_map[here]
        found = self._obj_map[here]
        places = np.argwhere(found)
        present = [self._objects[index] for index in found[tuple(places.T)]]
        return ids, list(zip(places + low - start, present, strict=True))


class Game(crafter.Env):
    """Crafter's rules alone: nothing is drawn, and objects move as far away as in Crafter's 9 x 9.

    Drawing noise takes numbers from the world's generator, so who draws is who steps: once a step.
    """

    def __init__(self, area, length, mobs):
        warm_up()
        super().__init__(area=area, length=length, seed=0)
        self._view = (9, 9)  # objects nearer than 2 * max of this move
        self._world = World(area, () if mobs else MOBS)
        self._sem_view = lambda: None  # its picture of the world is never used

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
        self._seed, self._episode = world_seed, episode
        self.reset()
        if random is not None:
            tiles = spawn_tiles(self._world, self._player.pos)
            self._world.move(self._player, tiles[random.integers(len(tiles))])

    def _obs(self):
        return None


def spawn_tiles(world, player):
    """Tiles [M, 2] that are free of objects and reachable on foot from the player's tile [2]."""
    islands, _ = ndimage.label(np.isin(world.terrain, WALKABLE))
    free = (islands == islands[tuple(player)]) & (world.occupied == 0)
    return np.argwhere(free)


@functools.cache
def warm_up():
    """Compile the terrain's noise, or load it from numba's cache, once per process."""
    opensimplex.OpenSimplex(seed=0).noise3(0.5, 0.5, 0)
