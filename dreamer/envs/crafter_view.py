"""What Crafter's player sees, byte for byte as the package draws it, several times faster.

In the shapes, canvases are [width, height, 3] like the package's, pictures [height, width, 3].
"""

import functools
import math

import numpy as np
from crafter import constants, engine

from dreamer.envs.crafter_game import MATERIALS

SIZE = 64  # pixels
NIGHT = (63, 49)  # pixels of Crafter's own map part


def grid(tiles):
    """Columns and rows of the map, and rows of the inventory, for the option egocentric_view."""
    if not tiles:
        return 9, 7, 2
    return tiles, tiles, math.ceil(len(constants.items) / tiles)


class Camera:
    """Pictures [64, 64, 3] uint8 of the map around the player above the inventory."""

    def __init__(self, world, textures, tiles):
        columns, rows, shelves = grid(tiles)
        self._unit = np.array((SIZE // columns, SIZE // (rows + shelves)))
        self._map = Map(world, textures, (columns, rows), self._unit)
        self._items = engine.ItemView(textures, (columns, shelves))
        self._inventory = functools.lru_cache(16)(self._inventory)
        self._border = (SIZE - self._unit * (columns, rows + shelves)) // 2

    def __call__(self, player):
        """Draw; at night the noise takes numbers from the world's generator."""
        shelves = self._inventory(tuple(player.inventory.values()))
        part = np.concatenate([self._map(player), shelves], 1)
        canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
        (x, y), (width, height) = self._border, part.shape[:2]
        canvas[x : x + width, y : y + height] = part
        return canvas.transpose(1, 0, 2)

    def _inventory(self, amounts):
        return self._items(dict(zip(constants.items, amounts, strict=True)), self._unit)


class Map(engine.LocalView):
    """The map around a place, drawn from one table of all tile textures."""

    def __init__(self, world, textures, grid, unit):
        super().__init__(world, textures, grid)
        self._unit = np.array(unit)
        drawn = [textures.get(name, unit)[..., :3] for name in (None, *MATERIALS[1:])]
        self._tiles = np.stack([*drawn, np.full_like(drawn[0], 127)])  # grey beyond the edge

    def __call__(self, player):
        """Canvas of what the player sees, darker at night and grey asleep."""
        canvas = self._light(self.canvas(player.pos), self._world.daylight)
        return self._sleep(canvas) if player.sleeping else canvas

    def canvas(self, center):
        """Ground and objects around a place in full daylight, uint8."""
        ids, present = self._world.window(center - self._offset, self._grid)
        tiles = self._tiles[ids].transpose(0, 2, 1, 3, 4)
        canvas = tiles.reshape(*self._grid * self._unit, 3)
        for place, obj in present:
            texture = self._textures.get(obj.texture, self._unit)
            engine._draw_alpha(canvas, place * self._unit, texture)
        return canvas

    def _noise(self, canvas, amount, stddev):
        # As many numbers as Crafter's own view takes, so that the view does not change the game.
        noise = np.resize(self._world.random.uniform(32, 127, NIGHT), canvas.shape[:2])
        mask = amount * self._vignette(canvas.shape, stddev)[..., None]
        return (1 - mask) * canvas + mask * noise[..., None]
