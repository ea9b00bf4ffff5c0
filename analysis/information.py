"""How many bits does a unit's activity carry about where the agent is, or which way it faces?

Published measures: they need non-negative activity, so a transform comes first. In the shapes, T is
steps, U units, B bins.
"""

import numpy as np

from analysis import rate_maps

TRANSFORMS = ("minshift", "relu", "none")
BLOCK = 128  # bins whose logarithms are taken at a time: they stay in the processor's cache


def transformed(activity, transform):
    """Activity [T, U] made non-negative: each unit's minimum subtracted, cut at zero, or as is."""
    if transform == "minshift":
        return activity - activity.min(axis=0)
    return np.maximum(activity, 0) if transform == "relu" else activity


def skaggs(rates, steps):
    """Information [U] in bits per spike from rates [B, U] and steps per bin [B].

    Sum of p r/m log2(r/m) with m = sum of p r (Skaggs et al. 1993). A silent unit carries 0; a unit
    with negative rates has no such information: NaN.
    """
    share = (steps / max(steps.sum(), 1)).astype(rates.dtype)
    mean = share @ rates
    scale = np.divide(1, mean, out=np.zeros_like(mean), where=mean != 0)
    bits, least = np.zeros_like(mean), np.zeros_like(mean)
    for start in range(0, len(rates), BLOCK):
        part = rates[start : start + BLOCK]
        np.minimum(least, part.min(axis=0), out=least)
        ratio = part * scale
        logarithm = np.maximum(ratio, np.finfo(rates.dtype).tiny)
        np.log2(logarithm, out=logarithm)
        bits += share[start : start + BLOCK] @ np.multiply(ratio, logarithm, out=ratio)
    return np.where(least < 0, np.nan, bits)


def information(activity, bins, min_occupancy=1):
    """Skaggs information [U] of non-negative activity [T, U] about a category `bins` [T].

    Occupancy and tuning come from the same bins; bins with too few steps are left out of both.
    """
    found = rate_maps.binned(bins, min_occupancy)
    return skaggs(found.means(activity), found.steps)
