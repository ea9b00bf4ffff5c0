"""The shape of a map from its autocorrelation, as in published analyses of place and grid cells.

In the shapes, U is units, W x H the map in tiles, L x M the lags.
"""

import numpy as np
from scipy import fft, ndimage

EIGHT = np.ones((3, 3, 3)) * np.array([0, 1, 0])[:, None, None]  # neighbours within one unit
MIDDLE = 1 / 12  # a tile's own second moment: a component one tile wide is not without width


def autocorrelogram(maps):
    """Autocorrelation [U, 2W - 1, 2H - 1] of maps [U, W, H]: masked, mean-subtracted, 1 at lag 0.

    Masked tiles (NaN) count as the mean. Without subtracting the mean the peak at lag 0 would be
    that of the visited area, whatever the unit does. Constant maps give 0.
    """
    known = np.isfinite(maps)
    mean = np.where(known, maps, 0).sum((1, 2)) / np.maximum(known.sum((1, 2)), 1)
    centred = np.where(known, maps - mean[:, None, None], 0)
    size = [2 * length - 1 for length in maps.shape[1:]]
    padded = [fft.next_fast_len(length, real=True) for length in size]
    power = np.abs(fft.rfft2(centred, padded)) ** 2
    found = fft.irfft2(power, padded)
    found = np.roll(found, [length - 1 for length in maps.shape[1:]], (1, 2))
    found = found[:, : size[0], : size[1]]
    peak = (centred**2).sum((1, 2))[:, None, None]
    return np.divide(found, peak, out=np.zeros_like(found), where=peak > 0)


def shapes(maps):
    """{peaks, field_size, asymmetry} [U] of maps [U, W, H]; NaN where a map is constant or empty.

    `peaks`: local maxima, not on the edge, of the 3 x 3 smoothed autocorrelogram above half its
    maximum. `field_size`: root of the central component's area at half height, in tiles.
    `asymmetry`: root of the ratio of that component's second moments along its axes.
    """
    if not maps.size:
        missing = np.full(len(maps), np.nan)
        return {"peaks": missing, "field_size": missing, "asymmetry": missing}
    smooth = ndimage.uniform_filter(autocorrelogram(maps), (0, 3, 3), mode="constant")
    top = smooth.max((1, 2))
    high = (smooth > 0.5 * top[:, None, None]) & (top > 0)[:, None, None]
    inner = (smooth == ndimage.maximum_filter(smooth, (1, 3, 3))) & high
    peaks = inner[:, 1:-1, 1:-1].sum((1, 2)).astype(float)
    labels, _ = ndimage.label(high, EIGHT)
    centre = labels[:, maps.shape[1] - 1, maps.shape[2] - 1]
    area, asymmetry = _moments((labels == centre[:, None, None]) & high)
    found = {"peaks": peaks, "field_size": np.sqrt(area), "asymmetry": asymmetry}
    return {name: np.where(top > 0, values, np.nan) for name, values in found.items()}


def _moments(component):
    """(area, root of the ratio of the second moments' eigenvalues) [U] of masks [U, L, M]."""
    mask = component.astype("float32")
    area = np.maximum(mask.sum((1, 2)), 1)
    x, y = np.arange(mask.shape[1]), np.arange(mask.shape[2])
    rows, columns = mask.sum(2), mask.sum(1)
    mean_x, mean_y = rows @ x / area, columns @ y / area
    xx = rows @ x**2 / area - mean_x**2 + MIDDLE
    yy = columns @ y**2 / area - mean_y**2 + MIDDLE
    xy = np.einsum("ulm,l,m->u", mask, x, y, optimize=True) / area - mean_x * mean_y
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return area, np.sqrt((middle + spread) / np.maximum(middle - spread, MIDDLE / 2))
