"""What Crafter's player sees, byte for byte as the package draws it, several times faster.

In the shapes, canvases are [width, height, 3] like the package's, pictures [height, width, 3].
"""

import functools
import math

import numpy as np
from crafter import constants, engine
from PIL import Image, ImageEnhance

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
    """The map around a place, put together from pictures of all kinds of tiles.

    A patch is a tile of some ground, with or without an object on it. By day a pixel's light
    depends on its own colour alone, so patches are lit rather than whole pictures.
    """

    def __init__(self, world, textures, grid, unit):
        super().__init__(world, textures, grid)
        self._unit = np.array(unit)
        drawn = [textures.get(name, unit)[..., :3] for name in (None, *MATERIALS[1:])]
        self._patches = np.stack([*drawn, np.full_like(drawn[0], 127)])  # grey beyond the edge
        self._dim = self._dimmed(self._patches)
        self._numbers = {}  # (ground, texture of the object on it): number of the patch

    def __call__(self, player):
        """Canvas of what the player sees, darker at night and grey asleep."""
        numbers, daylight = self._look(player.pos), self._world.daylight
        if daylight < 0.5:
            canvas = self._light(self._join(self._patches[numbers]), daylight)
        else:
            lit = daylight * self._patches + (1 - daylight) * self._dim
            canvas = self._join(lit.astype(np.uint8)[numbers])
        return self._sleep(canvas) if player.sleeping else canvas

    def canvas(self, center):
        """Ground and objects around a place in full daylight, uint8."""
        numbers = self._look(center)  # may add patches
        return self._join(self._patches[numbers])

    def _look(self, center):
        """Numbers of the patches [grid] around a place."""
        ids, present = self._world.window(center - self._offset, self._grid)
        numbers = ids.astype(np.intp)
        for place, obj in present:
            numbers[place] = self._patch(int(ids[place]), obj.texture)
        return numbers

    def _patch(self, ground, texture):
        number = self._numbers.setdefault((ground, texture), len(self._patches))
        if number == len(self._patches):
            patch = self._patches[ground].copy()
            engine._draw_alpha(patch, (0, 0), self._textures.get(texture, self._unit))
            self._patches = np.concatenate([self._patches, patch[None]])
            self._dim = np.concatenate([self._dim, self._dimmed(patch[None])])
        return number

    def _join(self, tiles):
        return tiles.transpose(0, 2, 1, 3, 4).reshape(*self._grid * self._unit, 3)

    def _dimmed(self, patches):
        """What the package's light mixes in where it is not full day; noise comes at night."""
        picture = Image.fromarray(patches.reshape(len(patches), -1, 3))
        pale = np.array(ImageEnhance.Color(picture).enhance(0.4)).reshape(patches.shape)
        return self._tint(pale, (0, 16, 64), 0.5)

    def _noise(self, canvas, amount, stddev):
        # As many numbers as Crafter's own view takes, so that the view does not change the game.
        noise = np.resize(self._world.random.uniform(32, 127, NIGHT), canvas.shape[:2])
        mask = amount * self._vignette(canvas.shape, stddev)[..., None]
        return (1 - mask) * canvas + mask * noise[..., None]
