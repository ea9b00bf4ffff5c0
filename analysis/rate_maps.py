"""How active is each unit on each tile? Binned sums of all units at once.

In the shapes, T is steps, U units, W x H the world in tiles, B bins.
"""

import numpy as np
from scipy import sparse


def indicator(index, count):
    """Sparse [count, T] with a one where step t lies in bin `index[t]`; a sum is one product."""
    index = np.asarray(index)
    steps = np.arange(len(index))
    return sparse.csr_array((np.ones(len(index)), (index, steps)), shape=(count, len(index)))


def tiles(x, y, area):
    """Bin of each step [T]: tile (x, y) of a world [W, H] as one number, x-major."""
    return np.asarray(x, np.int64) * area[1] + np.asarray(y, np.int64)


def occupancy(bins, count, min_occupancy=1):
    """Steps per bin [count], set to 0 in masked bins (fewer than `min_occupancy` steps)."""
    steps = np.bincount(bins, minlength=count)
    return np.where(steps >= min_occupancy, steps, 0)


def means(activity, bins, count):
    """Mean activity [B, U] per bin from activity [T, U]; NaN in bins without steps."""
    steps = np.bincount(bins, minlength=count)[:, None]
    sums = indicator(bins, count) @ np.asarray(activity, float)
    return np.divide(sums, steps, out=np.full_like(sums, np.nan), where=steps > 0)


def rate_maps(activity, x, y, area, min_occupancy=1):
    """(maps [U, W, H], occupancy [W, H]): mean activity per tile, NaN on masked tiles."""
    bins, count = tiles(x, y, area), area[0] * area[1]
    steps = occupancy(bins, count, min_occupancy)
    found = np.where(steps[:, None] > 0, means(activity, bins, count), np.nan)
    return found.T.reshape(-1, *area), steps.reshape(area)
