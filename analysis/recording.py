"""A recording as the position analyses see it: where the agent was, and on what ground.

In the shapes, T is steps, W x H the world in tiles, D units.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from dreamer import trajectory


class Recording(NamedTuple):
    """Columns [T] of a file, position [T, 2] as (x, y), and {episode: walkable [W, H]} at reset."""

    path: Path
    header: dict
    episode: np.ndarray
    step: np.ndarray
    position: np.ndarray
    walkable: dict


def load(path):
    """Read what every layer shares; `walkable` is empty where no terrain was recorded.

    A recording without positions has no steps here.
    """
    header = trajectory.header(path)
    if not trajectory.has(path, "x", "y"):
        return Recording(path, header, *np.zeros((2, 0), int), np.zeros((0, 2), int), {})
    read = trajectory.read(path, ["episode", "step", "x", "y"])
    position = np.stack([read["x"], read["y"]], axis=1).astype(np.int64)
    return Recording(path, header, read["episode"], read["step"], position, _walkable(path, header))


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


def activity(path, layers, kind="trajectory"):
    """Activity [T, D] of layers side by side; reads only their columns."""
    read = trajectory.read(path, list(layers), kind)
    return np.concatenate([read[name] for name in layers], axis=1)


def _walkable(path, header):
    if not trajectory.has(path, "terrain", "terrain_changed") or "walkable" not in header:
        return {}
    grids = trajectory.terrain(path)
    return {name: np.isin(grid, header["walkable"]) for name, (grid, _) in grids.items()}
