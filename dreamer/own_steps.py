"""Are the steps of a recording that somebody wrote as the contract says? Checked at the door."""

from hashlib import sha256

import numpy as np

from dreamer import trajectory
from jobs.errors import Refused

COLUMNS = ("episode", "step", "is_first", "x", "y", "action", "facing")


def check(path, header):
    """Refuse a Parquet recording whose steps are not those of whole, different episodes."""
    names = [name for name in COLUMNS if trajectory.has(path, name)]
    table = trajectory.open_file(path).read(columns=names)
    empty = [name for name in names if table[name].null_count]
    if empty:
        raise Refused(f"{path} has rows without {', '.join(empty)}; give every step its value")
    steps = trajectory.read(path, names)
    _episodes(path, steps)
    if "facing" in steps:
        unknown = sorted(set(steps["facing"]) - set(trajectory.FACINGS))
        if unknown:
            raise Refused(
                f"{path} has a facing {unknown[0]!r}; they are {', '.join(trajectory.FACINGS)}"
            )
    if "action" in steps and "actions" in header and steps["action"].ndim == 1:
        low, high, count = steps["action"].min(), steps["action"].max(), len(header["actions"])
        if low < 0 or high >= count:
            raise Refused(f"{path} has actions from {low} to {high}, but names {count} of them")
    _terrain(path, header)


def _episodes(path, steps):
    """Refuse rows that are not whole episodes one after the other, and two equal ones."""
    starts = np.flatnonzero(np.diff(steps["episode"], prepend=steps["episode"][0] - 1))
    numbers = steps["episode"][starts]
    if len(np.unique(numbers)) < len(numbers):
        raise Refused(f"{path} has an episode twice, or its rows lie apart; keep each together")
    lengths = np.diff(np.append(starts, len(steps["step"])))
    expected = np.arange(len(steps["step"])) - np.repeat(starts, lengths)
    if not np.array_equal(steps["step"], expected):
        raise Refused(f"{path} has steps that do not count 0, 1, 2 ... within each episode")
    if not np.array_equal(steps["is_first"], expected == 0):
        raise Refused(f"{path} has is_first elsewhere than at step 0; it marks every reset")
    if "action" not in steps:
        return
    seen = {}
    for number, start, length in zip(numbers.tolist(), starts, lengths, strict=True):
        rows = slice(start, start + length)
        parts = [np.ascontiguousarray(steps[name][rows]).tobytes() for name in ("x", "y", "action")]
        key = sha256(b"|".join(parts)).digest()
        if key in seen:
            raise Refused(
                f"episodes {seen[key]} and {number} of {path} hold the same path and actions, so "
                "one would be tested on what the other taught; remove one"
            )
        seen[key] = number


def _terrain(path, header):
    """Refuse a terrain that is not [W, H] at every reset."""
    if not trajectory.has(path, "terrain", "is_first"):
        return
    table = trajectory.open_file(path).read(columns=["is_first", "terrain"])
    sizes = {len(grid or ()) for grid in table.filter(table["is_first"])["terrain"].to_pylist()}
    tiles = header["area"][0] * header["area"][1]
    if sizes != {tiles}:
        raise Refused(
            f"{path} has a terrain of {min(sizes)} tiles at a reset, but the world has {tiles}; "
            "leave the column out, and name it in absent, where it is not known"
        )
