"""How many bits does a unit's activity carry about where the agent is, or which way it faces?

Published measures: they need non-negative activity, so a transform comes first. In the shapes, T is
steps, U units, B bins.
"""

import numpy as np
from scipy.special import xlogy

from analysis import rate_maps

TRANSFORMS = ("minshift", "relu", "none")


def transformed(activity, transform):
    """Activity [T, U] made non-negative: each unit's minimum subtracted, cut at zero, or as is."""
    if transform == "minshift":
        return activity - activity.min(axis=0)
    return np.maximum(activity, 0) if transform == "relu" else activity


def skaggs(rates, occupancy):
    """Information [U] in bits per spike from rates [B, U] and steps per bin [B].

    Sum of p r/m log2(r/m) with m = sum of p r over visited bins (Skaggs et al. 1993). A silent unit
    carries 0; a unit with negative rates has no such information: NaN.
    """
    visited = occupancy > 0
    share = occupancy[visited] / max(occupancy.sum(), 1)
    rates = rates[visited]
    mean = share @ rates
    ratio = np.divide(rates, mean, out=np.ones_like(rates), where=mean != 0)
    bits = share @ xlogy(ratio, ratio) / np.log(2)
    return np.where((rates < 0).any(axis=0), np.nan, bits)


def information(activity, bins, count, min_occupancy=1):
    """Skaggs information [U] of non-negative activity [T, U] about a category `bins` [T].

    Occupancy and tuning come from the same bins; bins with too few steps are left out of both.
    """
    steps = rate_maps.occupancy(bins, count, min_occupancy)
    return skaggs(rate_maps.means(activity, bins, count), steps)
