"""Where a recording's agent went, as the figures of behaviour see it.

In the shapes, T is steps, W x H the world in tiles (x first; y grows downward).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import ground_map, style
from dreamer import trajectory
from dreamer.trajectory import FACINGS

LONGEST = 120  # steps of the example episode that animations show at most
STRIDE = 10


class Walked(NamedTuple):
    """The episodes of the world that most of them share.

    `table` has episode, step and, as far as recorded, x, y and facing; its index is the row of the
    file. `terrain` [W, H] at reset is None where unknown; `words` say which world this is.
    """

    path: Path
    header: dict
    table: pd.DataFrame
    terrain: np.ndarray | None
    words: str

    @property
    def placed(self):
        """Whether positions were recorded."""
        return {"x", "y"} <= set(self.table)


class Stretch(NamedTuple):
    """Consecutive steps of one episode: step [T], and what of it is known, else None.

    place [T, 2], facing [T] (index into FACINGS), images (T times the bytes of a PNG).
    """

    episode: int
    length: int  # steps that the whole episode has
    step: np.ndarray
    place: np.ndarray | None
    facing: np.ndarray | None
    images: list | None


def load(path):
    """Read positions and terrain of a recording."""
    names = ["episode", "step"]
    names += [name for name in ("x", "y", "facing") if trajectory.has(path, name)]
    table = pd.DataFrame(trajectory.read(path, names))
    return Walked(path, trajectory.header(path), *one_world(path, table))


def one_world(path, table):
    """(the steps on the ground that most episodes share, terrain [W, H] or None, words)."""
    worlds = {}
    for episode, terrain in ground_map.terrains(path).items():
        worlds.setdefault(terrain.tobytes(), (terrain, []))[1].append(episode)
    if not worlds:
        return table, None, ""
    terrain, members = max(worlds.values(), key=lambda item: len(item[1]))
    words = f", one of {len(worlds)} worlds ({len(members)} of the episodes)"
    return table[table["episode"].isin(members)], terrain, words if len(worlds) > 1 else ""


def example(walked):
    """The Stretch of the longest episode that leads over most tiles."""
    table = walked.table
    longest = int(table.groupby("episode").size().idxmax())
    rows = table[table["episode"] == longest]
    length = int(rows["step"].max())
    rows = rows.iloc[_liveliest(rows[["x", "y"]].to_numpy()) if walked.placed else slice(LONGEST)]
    return Stretch(
        episode=longest,
        length=length,
        step=rows["step"].to_numpy(),
        place=rows[["x", "y"]].to_numpy(int) if walked.placed else None,
        facing=rows["facing"].map(FACINGS.index).to_numpy(int) if "facing" in rows else None,
        images=_images(walked.path, rows.index.to_numpy()),
    )


def colours(walked):
    """The world at reset as RGB [W, H, 3], each material in its colour; None where unknown."""
    materials = walked.header.get("materials")
    if walked.terrain is None or materials is None:
        return None
    found = [_rgb(colour) for colour in style.ground(materials)]
    return np.array(found, np.uint8)[walked.terrain]


def _rgb(colour):
    return [int(colour[index : index + 2], 16) for index in (1, 3, 5)]


def _liveliest(place):
    """Slice of at most LONGEST steps with the most different tiles; the first of equals."""
    starts = range(0, max(1, len(place) - LONGEST + 1), STRIDE)
    tiles = [len(np.unique(place[start : start + LONGEST], axis=0)) for start in starts]
    start = starts[int(np.argmax(tiles))]
    return slice(start, start + LONGEST)


def _images(path, rows):
    if not trajectory.has(path, "image"):
        return None
    images = list(trajectory.read(path, ["image"], rows=rows)["image"])
    return images if all(image is not None for image in images) else None
