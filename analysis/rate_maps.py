"""How active is each unit on each tile? Binned sums of all units at once.

In the shapes, T is steps, U units, W x H the world in tiles, B the bins that were visited.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse


def indicator(index, count, dtype=float):
    """Sparse [count, T] with a one where step t lies in bin `index[t]`; a sum is one product."""
    index = np.asarray(index)
    ones, steps = np.ones(len(index), dtype), np.arange(len(index))
    return sparse.csr_array((ones, (index, steps)), shape=(count, len(index)))


def tiles(x, y, area):
    """Bin of each step [T]: tile (x, y) of a world [W, H] as one number, x-major."""
    return np.asarray(x, np.int64) * area[1] + np.asarray(y, np.int64)


def occupancy(bins, count, min_occupancy=1):
    """Steps per bin [count], set to 0 in masked bins (fewer than `min_occupancy` steps)."""
    steps = np.bincount(bins, minlength=count)
    return np.where(steps >= min_occupancy, steps, 0)


class Binned(NamedTuple):
    """The bins that hold enough steps, and the sparse matrix that sums activity over them."""

    bins: np.ndarray  # [B]
    steps: np.ndarray  # [B]
    sum: sparse.csr_array  # [B, T]

    def means(self, activity):
        """Mean activity [B, U] per bin from activity [T, U], in the precision of the activity."""
        matrix = self.sum
        if matrix.dtype != activity.dtype:  # else scipy would copy the activity to convert it
            matrix = matrix.astype(activity.dtype)
        found = matrix @ activity
        found /= self.steps[:, None].astype(activity.dtype)
        return found


def binned(bins, min_occupancy=1):
    """`Binned` for the bin of each step [T]; bins with fewer steps than given drop out."""
    found, owner, steps = np.unique(bins, return_inverse=True, return_counts=True)
    matrix = indicator(owner, len(found))
    if steps.min(initial=min_occupancy) >= min_occupancy:
        return Binned(found, steps, matrix)
    enough = np.flatnonzero(steps >= min_occupancy)
    return Binned(found[enough], steps[enough], matrix[enough])


def rate_maps(activity, x, y, area, min_occupancy=1):
    """(maps [U, W, H], occupancy [W, H]): mean activity per tile, NaN on masked tiles."""
    place = binned(tiles(x, y, area), min_occupancy)
    activity = np.asarray(activity)
    if activity.dtype.kind != "f":
        activity = activity.astype(float)
    steps = np.zeros(area, np.int64)
    steps.flat[place.bins] = place.steps
    return spread(place.means(activity), place.bins, area), steps


def spread(values, bins, area):
    """Maps [U, W, H] from values [B, U] of bins [B]; NaN elsewhere."""
    found = np.full((values.shape[1], area[0] * area[1]), np.nan, values.dtype)
    found[:, bins] = values.T
    return found.reshape(-1, *area)
