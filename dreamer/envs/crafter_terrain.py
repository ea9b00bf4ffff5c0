"""Crafter's world generator over whole arrays: the package's worlds, several times faster.

The noise is computed for all tiles at once; random numbers are then taken tile by tile in the
package's order, so that the generator is left as the package leaves it. W x H: tiles, x first.
"""

import numpy as np
import opensimplex
from crafter import constants, objects
from numba import njit
from opensimplex.internals import _noise3

IDS = {name: index for index, name in enumerate(constants.materials, 1)}


def generate(world, player):
    """Fill a fresh world with terrain and creatures around the player."""
    noise = Noise(world.random.randint(0, 2**31 - 1))
    x, y = (axis.ravel() for axis in np.indices(world.area))
    away = np.sqrt((x - player.pos[0]) ** 2 + (y - player.pos[1]) ** 2)
    ids, tunnels = _materials(noise, x, y, away, world.random.random_sample)
    world.terrain[:] = ids.reshape(world.area)
    _creatures(world, player, ids, tunnels, away)


class Noise:
    """Simplex noise of a seed at many points at once."""

    def __init__(self, seed):
        simplex = opensimplex.OpenSimplex(seed)
        self._tables = simplex._perm, simplex._perm_grad_index3

    def __call__(self, x, y, z, sizes, mean=True):
        """Weighted sum, or mean, over {size: weight} of the noise at x, y [M] in layer z."""
        total = 0
        for size, weight in sizes.items():
            total = total + weight * _points(x / size, y / size, z, *self._tables)
        return total / sum(sizes.values()) if mean else total


@njit(cache=True)
def _points(x, y, z, permutation, gradients):
    found = np.empty(len(x))
    for index in range(len(x)):
        found[index] = _noise3(x[index], y[index], z, permutation, gradients)
    return found


def _materials(noise, x, y, away, uniform):
    """Material ids and whether a tile is a tunnel, both [W * H]."""
    start = 4 - away + 2 * noise(x, y, 8, {3: 1})
    start = 1 / (1 + np.exp(-start))
    water = noise(x, y, 3, {15: 1, 5: 0.15}, False) + 0.1 - 2 * start
    height = noise(x, y, 0, {15: 1, 5: 0.3}) - (4 * start + 0.3 * water)
    ids = np.full(len(x), IDS["grass"], np.uint8)
    rock = (start <= 0.5) & (height > 0.15)
    low = (start <= 0.5) & ~rock
    ids[low & (water > 0.3)] = IDS["water"]
    shore = np.flatnonzero(low & (water > 0.25) & (water <= 0.35))
    ids[shore[noise(x[shore], y[shore], 4, {9: 1}) > -0.2]] = IDS["sand"]
    meadow = np.flatnonzero(low & (ids == IDS["grass"]))
    trees = meadow[noise(x[meadow], y[meadow], 5, {7: 1}) > 0]
    rock = np.flatnonzero(rock)
    inside, tunnel, ores = _rock(noise, x[rock], y[rock], height[rock])
    ids[rock] = inside
    tunnels = np.zeros(len(x), bool)
    tunnels[rock[tunnel]] = True
    chances = dict.fromkeys(trees.tolist(), ((0.8, IDS["tree"]),)) | dict(
        zip(rock.tolist(), ores, strict=True)
    )
    for place in sorted(chances):
        ids[place] = next((id_ for least, id_ in chances[place] if uniform() > least), ids[place])
    return ids, tunnels


def _rock(noise, x, y, height):
    """Inside mountains: ids without ores, tunnels, and each tile's chances of ores in turn."""
    cave = (noise(x, y, 6, {7: 1}) > 0.15) & (height > 0.3)
    tunnel = (noise(2 * x, y / 5, 7, {3: 1}) > 0.4) | (noise(x / 5, 2 * y, 7, {3: 1}) > 0.4)
    tunnel &= ~cave
    lava = (height > 0.3) & (noise(x, y, 6, {5: 1}) > 0.35)
    ids = np.where(cave | tunnel, IDS["path"], np.where(lava, IDS["lava"], IDS["stone"]))
    possible = (
        (noise(x, y, 1, {8: 1}) > 0, (0.85, IDS["coal"])),
        (noise(x, y, 2, {6: 1}) > 0.4, (0.75, IDS["iron"])),
        (height > 0.18, (0.994, IDS["diamond"])),
    )
    solid = ~(cave | tunnel)
    ores = [
        tuple(chance for (_, chance), has in zip(possible, row, strict=True) if has)
        for row in np.stack([where & solid for where, _ in possible], 1).tolist()
    ]
    return ids, tunnel, ores


def _creatures(world, player, ids, tunnels, away):
    """Cows on grass, zombies anywhere, skeletons in tunnels, as chance has it."""
    uniform, rows = world.random.random_sample, world.area[1]
    walkable = np.flatnonzero(np.isin(ids, [IDS[name] for name in constants.walkable]))
    grass = (ids == IDS["grass"]) & (away > 3)
    facts = (walkable, grass[walkable], away[walkable] > 10, tunnels[walkable])
    for place, cow, zombie, skeleton in zip(*(fact.tolist() for fact in facts), strict=True):
        if cow and uniform() > 0.985:
            world.add(objects.Cow(world, divmod(place, rows)))
        elif zombie and uniform() > 0.993:
            world.add(objects.Zombie(world, divmod(place, rows), player))
        elif skeleton and uniform() > 0.95:
            world.add(objects.Skeleton(world, divmod(place, rows), player))
