"""How many fields has a map, and how much of the world do they cover?

In the shapes, U is units, B the unmasked bins, W x H the world in tiles.
"""

import numpy as np
from scipy import ndimage

SMALLEST = 4  # bins of a field
EIGHT = np.ones((1, 3, 3))  # neighbours of a tile, within one unit


def shapes(means, place, area, sigma=1.0):
    """{polarity, fields, cover} [U] of maps with `means` [B, U] on the bins of `place`.

    The map is smoothed sums over smoothed counts, times the sign of its skewness: the sign of a
    network's unit is arbitrary. Field bins lie above half height, p5 + (max - p5)/2; what is left
    of them in one piece after widening each by a tile is a field if it has SMALLEST bins, and there
    is never less than one. `cover` is the share of bins above half height.
    """
    if not len(place.bins):
        missing = np.full(means.shape[1], np.nan)
        return {"polarity": missing, "fields": missing, "cover": missing}
    found, corner, size = smoothed(means, place, area, sigma)
    sign = np.where(skewness(found) < 0, -1.0, 1.0)
    found = found * sign
    low, high = np.percentile(found, 5, axis=0), found.max(axis=0)
    above = found > low + 0.5 * (high - low)
    return {"polarity": sign, "fields": _count(above, corner, size), "cover": above.mean(axis=0)}


def smoothed(means, place, area, sigma=1.0):
    """Gaussian-smoothed map [B, U], the bins' indices (x, y) from the map's corner, its size."""
    x, y = np.divmod(place.bins, area[1])
    x, y = x - x.min(), y - y.min()
    size = (x.max() + 1, y.max() + 1)
    steps = place.steps.astype("float32")
    sums = np.zeros((means.shape[1], *size), "float32")
    sums[:, x, y] = (means * steps[:, None]).T
    counts = np.zeros(size, "float32")
    counts[x, y] = steps
    spread = ndimage.gaussian_filter(sums, (0, sigma, sigma), mode="constant")
    weight = ndimage.gaussian_filter(counts, sigma, mode="constant")
    return spread[:, x, y].T / weight[x, y][:, None], (x, y), size


def skewness(values):
    """Third standardised moment [U] of values [B, U]; 0 where they are equal."""
    centred = values - values.mean(axis=0)
    third, second = (centred**3).mean(axis=0), (centred**2).mean(axis=0)
    return np.divide(third, second**1.5, out=np.zeros_like(third), where=second > 0)


def _count(above, corner, size):
    """Fields [U] of bins `above` half height [B, U]."""
    x, y = corner
    full = np.zeros((above.shape[1], size[0] + 2, size[1] + 2), bool)
    full[:, x + 1, y + 1] = above.T
    wide = ndimage.binary_dilation(full, EIGHT)
    labels, count = ndimage.label(wide, np.pad(EIGHT, ((1, 1), (0, 0), (0, 0))))
    bins = np.bincount(labels[full], minlength=count + 1)
    unit = np.zeros(count + 1, int)
    unit[labels[full]] = np.nonzero(full)[0]
    fields = np.bincount(unit[bins >= SMALLEST], minlength=len(full))
    return np.maximum(fields, 1).astype(float)
