"""The world as the agent saw it: recorded images laid over the tiles that they show.

Only Crafter's images say which tile a pixel belongs to. In the shapes, W x H is the world in
tiles, u x v pixels a tile of an image, n images.
"""

import io
import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from analysis import style, walked
from dreamer import trajectory

IMAGES = 1500  # looked at, evenly over the recording
SIGHTINGS = 25  # of a tile, by the brightest images; their median is shown
SIZE, ITEMS = 64, 16  # pixels of an image; kinds of items that Crafter shows below the map
OWN = (9, 7, 2)  # Crafter's grid: columns, rows, shelves of items
PALE = 0.5
NOTHING = "An overlay of what was seen needs Crafter's images, positions and terrain."


class Grid(NamedTuple):
    """Columns and rows of tiles of u x v pixels, the first at pixel (left, top)."""

    columns: int
    rows: int
    u: int
    v: int
    left: int
    top: int


def draw(found, options, svg):
    """The picture over the world in pale colours, where the agent never looked."""
    ground, shape = walked.colours(found), grid(found.header)
    if ground is None or shape is None or not trajectory.has(found.path, "image"):
        style.sentence(svg, NOTHING)
        return ""
    tiles, seen = mosaic(found, shape)
    pale = 255 - PALE * (255.0 - ground[:, :, None, None])
    tiles = np.where(seen[:, :, None, None, None], tiles, pale).astype(np.uint8)
    width, height, v, u = tiles.shape[:4]
    picture = tiles.transpose(1, 2, 0, 3, 4).reshape(height * v, width * u, 3)
    figure, axis = style.plt.subplots(figsize=(6.4, 6.2))
    style.map_axes(axis, (width, height))
    axis.imshow(picture, extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="nearest")
    axis.set_title(f"seen: {seen.mean():.0%} of the tiles{found.words}; the rest is pale")
    style.save(figure, svg)
    return ""


def grid(header):
    """How the map lies in an image; None where the world is not Crafter's."""
    world = header.get("world", {})
    if world.get("task") != "crafter":
        return None
    n = world.get("egocentric_view", 0)
    columns, rows, shelves = (n, n, math.ceil(ITEMS / n)) if n else OWN
    u, v = SIZE // columns, SIZE // (rows + shelves)
    left, top = (SIZE - u * columns) // 2, (SIZE - v * (rows + shelves)) // 2
    return Grid(columns, rows, u, v, left, top)


def mosaic(found, shape):
    """(pictures of all tiles [W, H, v, u, 3], which were seen [W, H])."""
    table = found.table[:: max(1, len(found.table) // IMAGES)]
    data = trajectory.read(found.path, ["image"], rows=table.index.to_numpy())["image"]
    images = np.stack([np.asarray(Image.open(io.BytesIO(item)).convert("RGB")) for item in data])
    patches = cut(images, shape)
    offsets = np.stack(np.meshgrid(np.arange(shape.columns), np.arange(shape.rows)), -1)
    offsets = offsets - (shape.columns // 2, shape.rows // 2)
    tiles = table[["x", "y"]].to_numpy(int)[:, None, None] + offsets
    area = np.array(found.header["area"])
    shown = ((tiles >= 0) & (tiles < area)).all(-1) & offsets.any(-1)  # not the agent itself
    number = tiles[shown] @ (area[1], 1)
    light = np.broadcast_to(patches.mean((1, 2, 3, 4, 5))[:, None, None], shown.shape)
    return _by_day(number, patches[shown], light[shown], area)


def cut(images, shape):
    """Tiles [n, rows, columns, v, u, 3] of the map in images [n, SIZE, SIZE, 3]."""
    columns, rows, u, v, left, top = shape
    part = images[:, top : top + v * rows, left : left + u * columns]
    return part.reshape(len(images), rows, v, columns, u, 3).transpose(0, 1, 3, 2, 4, 5)


def _by_day(number, patches, light, area):
    """Median of each tile's sightings with most light: by day, and without what walks by."""
    found = np.zeros((area.prod(), *patches.shape[1:]))
    order = np.lexsort([-light, number])
    known, starts = np.unique(number[order], return_index=True)
    for tile, sightings in zip(known, np.split(order, starts[1:]), strict=True):
        found[tile] = np.median(patches[sightings[:SIGHTINGS]], axis=0)
    seen = np.isin(np.arange(area.prod()), known).reshape(area)
    return found.reshape(*area, *patches.shape[1:]), seen
