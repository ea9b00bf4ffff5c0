"""What part of the world a frame of an animation shows, and how that part is turned.

In the shapes, W x H is the world in tiles (x first; y grows downward), h x w pixels or tiles of a
picture (rows first).
"""

from typing import NamedTuple

import numpy as np

from dreamer.trajectory import FACINGS

# Quarter turns against the clock that bring what is faced to the top.
TURNS = {"up": 0, "right": 1, "down": 2, "left": 3}
OUTSIDE = (70, 70, 78)
UNKNOWN = np.array([(244, 244, 244), (234, 234, 234)], np.uint8)  # tiles where no terrain is known


class View(NamedTuple):
    """A rectangle of `size` (w, h) tiles from tile `origin` on, `turn`ed if it is square."""

    origin: np.ndarray
    size: np.ndarray
    turn: int = 0

    def tiles(self, world):
        """The part of the world [W, H, 3] as a picture [h, w, 3]; OUTSIDE where there is none."""
        found = np.full((*self.size, 3), OUTSIDE, np.uint8)
        low = np.maximum(self.origin, 0)
        high = np.minimum(self.origin + self.size, world.shape[:2])
        (left, top), (right, bottom) = low - self.origin, high - self.origin
        found[left:right, top:bottom] = world[low[0] : high[0], low[1] : high[1]]
        return np.rot90(found.transpose(1, 0, 2), self.turn)

    def points(self, place):
        """Tiles [..., 2] of the world as (column, row) of the picture."""
        centre = (np.asarray(self.size) - 1) / 2
        gap = np.asarray(place) - self.origin - centre
        for _ in range(self.turn):
            gap = np.stack([gap[..., 1], -gap[..., 0]], axis=-1)
        return gap + centre

    def heading(self, facing):
        """Quarter turns against the clock from up to where the agent looks in the picture."""
        return (self.turn - TURNS[FACINGS[facing]]) % 4


def whole(area, place, facing, options):
    """All of the world."""
    return View(np.zeros(2, int), np.array(area))


def window(area, place, facing, options):
    """`window_tiles` tiles wide around the agent, moved so that it stays inside the world."""
    size = np.minimum(options["window_tiles"], area)
    return View(np.clip(place - size // 2, 0, np.array(area) - size), size)


def egocentric(area, place, facing, options):
    """`view_half` tiles to each side of the agent; with `egocentric_view` what it faces is up."""
    turned = options["egocentric_view"] and facing is not None
    half = options["view_half"]
    size = np.full(2, 2 * half + 1)
    return View(place - half, size, TURNS[FACINGS[facing]] if turned else 0)


def blank(area):
    """A world [W, H, 3] of unknown terrain: a pale chequerboard, so that motion can be seen."""
    return UNKNOWN[np.indices(area).sum(0) % 2]
