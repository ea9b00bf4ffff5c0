"""The tuning analyses from a notebook: pynapple's objects, or arrays, in and out.

Steps are pynapple's seconds: row t of a recording lies at time t, each episode is one epoch. Given
a `TsdFrame`, a function returns what pynapple's own would (`docs/pynapple.md`); given arrays,
arrays.
In the shapes, T is steps, U units, W x H the world in tiles.
"""

import numpy as np
import pandas as pd
import pynapple as nap
import xarray as xr

from analysis import information as bits
from analysis import rate_maps as maps_of
from analysis import splits, study, unit_table
from analysis.unit_metrics import Behaviour
from dreamer import trajectory
from jobs.errors import Refused

OPTIONS = {
    "min_occupancy": 5, "transform": "minshift", "active_eps": 1e-6, "min_active": 200, "folds": 5,
    "n_null": 99, "null_method": "swaps", "seed": 0,
}  # fmt: skip


def load(recording, layer):
    """(activity, position, facing, episodes) of a recording.

    TsdFrames [T, U] and [T, 2], a Tsd, and an IntervalSet of epochs. `facing` is an index into
    trajectory.FACINGS, None where it was not recorded.
    """
    faced = trajectory.has(recording, "facing")
    names = ["episode", "x", "y", *(["facing"] if faced else []), layer]
    read = trajectory.read(recording, names)
    times = np.arange(len(read["x"]), dtype=float)
    starts = np.flatnonzero(np.diff(read["episode"], prepend=read["episode"][0] - 1))
    ends = np.append(starts[1:], len(times)) - 1
    episodes = nap.IntervalSet(start=times[starts], end=times[ends])
    place = np.stack([read["x"], read["y"]], 1).astype(float)
    facing = None
    if faced:
        index = [trajectory.FACINGS.index(name) for name in read["facing"]]
        facing = nap.Tsd(times, np.array(index), time_support=episodes)
    return (
        nap.TsdFrame(times, read[layer], time_support=episodes),
        nap.TsdFrame(times, place, time_support=episodes, columns=["x", "y"]),
        facing,
        episodes,
    )


def rate_maps(activity, position, episodes=None, area=None, min_occupancy=1):
    """Mean activity per tile: a DataArray (unit, x, y) with bin edges and occupancy, as pynapple's.

    From arrays [T, U] and [T, 2]: (maps [U, W, H], occupancy [W, H]). `episodes` restricts both;
    `area` (W, H) defaults to the tiles up to the farthest one visited.
    """
    framed = isinstance(activity, nap.TsdFrame)
    units = activity.columns if framed else None
    values, place, _ = _steps(activity, position, episodes)
    area = tuple(place.max(axis=0) + 1) if area is None else tuple(area)
    maps, occupancy = maps_of.rate_maps(values, *place.T, area, min_occupancy)
    return as_curves(maps, occupancy, units) if framed else (maps, occupancy)


def information(activity, position, episodes=None, min_occupancy=1, transform="none"):
    """Spatial information of each unit: a DataFrame with `bits/spike`, or [U] from arrays.

    `transform` makes negative activity usable (minshift, relu); with "none" it gives NaN.
    """
    values, place, _ = _steps(activity, position, episodes)
    area = place.max(axis=0) + 1
    positive = bits.transformed(values, transform)
    found = bits.information(positive, maps_of.tiles(*place.T, area), min_occupancy)
    if not isinstance(activity, nap.TsdFrame):
        return found
    return pd.DataFrame({"bits/spike": found}, index=activity.columns)


def tuning(activity, position, episodes, facing=None, walls=None, area=None, **options):
    """Every measure of every unit, one row each, with p-values of whole-episode swaps.

    `episodes` is an IntervalSet, or with arrays the episode [T] of each step; `facing` a Tsd or
    [T], `walls` [T, 4] tiles to the wall left, right, up, down; `options` replace those in OPTIONS.
    """
    values, place, episode = _steps(activity, position, episodes)
    area = tuple(place.max(axis=0) + 1) if area is None else tuple(area)
    settings = OPTIONS | options
    fold = np.zeros(len(place), int)
    for index, (_, test) in enumerate(splits.folds(episode, settings["folds"])):
        fold[test] = index
    turned = None if facing is None else np.asarray(_within(facing, episodes)).astype(int)
    fold = fold if len(np.unique(episode)) > 1 else None
    behaviour = Behaviour(maps_of.tiles(*place.T, area), turned, None, walls, fold)
    table, _, _ = unit_table.layer(values, study.Study(behaviour, episode, area, settings), area)
    units = activity.columns if isinstance(activity, nap.TsdFrame) else np.arange(values.shape[1])
    return pd.DataFrame(table, index=pd.Index(units, name="unit"))


def exported(rate_maps_file, layer, units=None):
    """The rate maps of a layer that the workflow computed (`rate_maps.npz`) as a DataArray.

    `units` are their names, as in the table of units.
    """
    with np.load(rate_maps_file) as stored:
        return as_curves(stored[layer], stored["occupancy"], units)


def as_curves(maps, occupancy, units=None):
    """A DataArray (unit, x, y) from maps [U, W, H] and occupancy [W, H], in pynapple's form."""
    units = np.arange(len(maps)) if units is None else np.asarray(units)
    edges = [np.arange(length + 1) - 0.5 for length in maps.shape[1:]]
    centres = {name: np.arange(length) for name, length in zip("xy", maps.shape[1:], strict=True)}
    attributes = {"occupancy": occupancy, "bin_edges": edges, "fs": 1.0}
    return xr.DataArray(maps, {"unit": units, **centres}, ("unit", "x", "y"), attrs=attributes)


def _steps(activity, position, episodes):
    """(values [T, U], tiles [T, 2], episode [T]) of steps that both inputs have."""
    activity, position = _within(activity, episodes), _within(position, episodes)
    values, place = np.asarray(activity, float), np.round(np.asarray(position)).astype(np.int64)
    if len(values) != len(place):
        raise Refused(
            f"activity has {len(values)} steps and position {len(place)}; give both for the same "
            "steps"
        )
    if episodes is None:
        return values, place, np.zeros(len(place), int)
    if isinstance(episodes, nap.IntervalSet):
        return values, place, np.searchsorted(episodes.start, position.t, side="right") - 1
    return values, place, np.asarray(episodes)


def _within(item, episodes):
    """pynapple's objects on the epochs alone; arrays as they are."""
    inside = isinstance(episodes, nap.IntervalSet) and hasattr(item, "restrict")
    return item.restrict(episodes) if inside else item
