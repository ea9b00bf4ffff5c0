"""What the agent did in a recording, step by step, as the tuning of its units needs it.

In the shapes, T is steps.
"""

from typing import NamedTuple

import numpy as np

from analysis import rate_maps, splits, walls
from analysis.unit_metrics import Behaviour
from dreamer import trajectory
from jobs.errors import Refused

STEPS = ("episode", "step", "x", "y", "is_first")
OPTIONAL = ("facing", "action")
PIECE = 8192  # steps read at a time


class Steps(NamedTuple):
    """The steps of one recording, or of two: those of the second are for tests only."""

    columns: dict  # {name: [T]}
    rows: list  # rows taken of each recording
    mapped: int  # steps of the first recording
    held: list | None  # the folds that are tested; None for all
    placed: bool = (
        True  # whether positions were recorded; without them all steps count as on one tile
    )

    def activity(self, paths, layer, units):
        """Activity [T, units] of the columns `units` of a layer, from recordings `paths`.

        Read piece by piece into one array, so that a wide layer is in memory once.
        """
        found, end = np.empty((len(self.columns["x"]), len(units)), "float32"), 0
        for path, rows in zip(paths, self.rows, strict=True):
            for part in np.split(rows, range(PIECE, len(rows), PIECE)):
                read = trajectory.read(path, [layer], rows=part)[layer]
                found[end : end + len(part)] = read[:, units]
                end += len(part)
        return found


def read(recording, test=None, min_bbox=0):
    """`Steps` of a recording and of a second one for tests; small episodes are left out."""
    paths = [recording, *([test] if test else [])]
    placed = all(trajectory.has(path, "x", "y") for path in paths)
    parts = [_columns(path, placed) for path in paths]
    rows = [_kept(path, part, min_bbox) for path, part in zip(paths, parts, strict=True)]
    parts = [
        {name: values[keep] for name, values in part.items()}
        for part, keep in zip(parts, rows, strict=True)
    ]
    if test:
        parts[1]["episode"] = parts[1]["episode"] + parts[0]["episode"].max() + 1
    names = [name for name in parts[0] if all(name in part for part in parts)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return Steps(joined, rows, len(rows[0]), [1] if test else None, placed)


def behaviour(steps, area, folds, hd=True):
    """Behaviour with held-out parts of whole episodes, or the second recording as such a part."""
    columns = steps.columns
    facing = previous = None
    if hd and "facing" in columns:
        names = np.array(trajectory.FACINGS, object)
        facing = (columns["facing"][:, None] == names).argmax(axis=1)
    if "action" in columns and columns["action"].ndim == 1:
        none = columns["action"].max() + 1
        previous = np.where(columns["is_first"], none, np.roll(columns["action"], 1)).astype(int)
    place = rate_maps.tiles(columns["x"], columns["y"], area)
    return Behaviour(place, facing, previous, columns.get("walls"), _folds(steps, folds))


def same_rows(first, second):
    """Refuse a recording whose steps are not those of the first one."""
    names = [name for name in (*STEPS, *OPTIONAL) if trajectory.has(first, name)]
    if trajectory.has(second, *names):
        ours, theirs = trajectory.read(first, names), trajectory.read(second, names)
        if all(np.array_equal(ours[name], theirs[name]) for name in names):
            return
    raise Refused(
        f"{second} does not hold the same steps as {first}; record the untrained network on the "
        "observations and actions of that very recording"
    )


def _columns(path, placed):
    more = [name for name in OPTIONAL if trajectory.has(path, name)]
    names = [name for name in STEPS if placed or name not in ("x", "y")]
    found = trajectory.read(path, [*names, *more])
    if not placed:
        nowhere = np.zeros(len(found["step"]), int)
        return found | {"x": nowhere, "y": nowhere}
    around = walls.around(path, found["episode"], found["x"], found["y"])
    return found if around is None else {**found, "walls": around}


def _kept(path, columns, min_bbox):
    position = np.stack([columns["x"], columns["y"]], axis=1)
    rows = np.flatnonzero(splits.roomy(columns["episode"], position, min_bbox))
    if not len(rows):
        raise Refused(
            f"no episode of {path} covers {min_bbox} tiles²; set tuning.min_bbox to a lower number"
        )
    return rows


def _folds(steps, count):
    """Fold [T] of each step; None where nothing can be held out."""
    if steps.held:
        return (np.arange(len(steps.columns["x"])) >= steps.mapped).astype(int)
    parts = splits.folds(steps.columns["episode"], count)
    if not parts:
        return None
    fold = np.zeros(len(steps.columns["x"]), int)
    for index, (_, test) in enumerate(parts):
        fold[test] = index
    return fold
