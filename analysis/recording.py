"""A recording as the position analyses see it: where the agent was, and on what ground.

In the shapes, T is steps, W x H the world in tiles, D units.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis import pairs
from dreamer import trajectory
from jobs.errors import Refused


class Recording(NamedTuple):
    """Columns [T] of a file, position [T, 2] as (x, y), and {episode: walkable [W, H]} at reset.

    `rows` says where in the file the steps stand: all of them, or those that `take` has kept.
    """

    path: Path
    header: dict
    episode: np.ndarray
    step: np.ndarray
    position: np.ndarray
    walkable: dict
    rows: np.ndarray


def load(path):
    """Read what every layer shares; `walkable` is empty where no terrain was recorded.

    A recording without positions has no steps here.
    """
    header = trajectory.header(path)
    if not trajectory.has(path, "x", "y"):
        empty = np.zeros(0, int)
        return Recording(path, header, empty, empty, np.zeros((0, 2), int), {}, empty)
    read = trajectory.read(path, ["episode", "step", "x", "y"])
    position = np.stack([read["x"], read["y"]], axis=1).astype(np.int64)
    walkable, rows = _walkable(path, header), np.arange(len(position))
    return Recording(path, header, read["episode"], read["step"], position, walkable, rows)


def told(header):
    """Whether the agent received its position as an input; None where that is not known."""
    return header.get("told_position", None if "imported" in header else False)


def take(found, rows):
    """The recording as if it had only some of its steps."""
    names = ("episode", "step", "position", "rows")
    return found._replace(**{name: getattr(found, name)[rows] for name in names})


def refuse_unlike(known, other):
    """Refuse `other` unless it holds the same steps and layers: one network in another's place."""
    same = all(
        np.array_equal(getattr(known, name), getattr(other, name))
        for name in ("episode", "step", "position")
    )
    if not same:
        raise Refused(
            f"the steps of {other.path} are not those of {known.path}; replay the recorded "
            "observations and actions of that very file through the other network"
        )
    if known.header["layers"].keys() != other.header["layers"].keys():
        raise Refused(
            f"the layers of {other.path} are not those of {known.path}; record the same units"
        )
    pairs.refuse_other_units(known.path, other.path)


def representations(layers, wanted=(), combined=True):
    """{name: layers side by side}: each of the `layers` {name: entry}, and the belief as a whole.

    `wanted` names the ones to keep (none: all); `combined` stands last, if there are several
    belief layers.
    """
    belief = [name for name, entry in layers.items() if entry.get("belief", name.startswith("dyn"))]
    found = {name: [name] for name in layers}
    if combined and len(belief) > 1:
        found["combined"] = belief
    return {name: parts for name, parts in found.items() if not wanted or name in wanted}


def activity(path, layers, kind="trajectory", rows=None):
    """Activity [T, D] of layers side by side; reads only their columns, and only some `rows`."""
    read = trajectory.read(path, list(layers), kind, rows)
    return np.concatenate([read[name] for name in layers], axis=1)


def _walkable(path, header):
    if not trajectory.has(path, "terrain", "terrain_changed") or "walkable" not in header:
        return {}
    grids = trajectory.terrain(path)
    return {name: np.isin(grid, header["walkable"]) for name, (grid, _) in grids.items()}
