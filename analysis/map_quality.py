"""Published measures of a map: sparsity, coherence, agreement of two halves, border score.

In the shapes, U is units, B the unmasked bins, W x H the world in tiles.
"""

import warnings

import numpy as np
from scipy import ndimage

RING = np.ones((1, 3, 3)) - np.pad([[[1.0]]], ((0, 0), (1, 1), (1, 1)))
NEAR, BEYOND = 1, 2  # tiles to the wall: near is at most the one, far is more than the other


def sparsity(rates, steps):
    """(sum of p r)² / sum of p r² [U] of non-negative rates [B, U]; 1 is equal everywhere."""
    share = steps / max(steps.sum(), 1)
    mean, square = share @ rates, share @ np.square(rates)
    return np.divide(mean**2, square, out=np.full_like(mean, np.nan), where=square > 0)


def coherence(maps):
    """Correlation [U] of each tile with the mean of its unmasked neighbours in maps [U, W, H]."""
    known = np.isfinite(maps)
    filled = np.where(known, maps, 0)
    around = ndimage.convolve(filled, RING, mode="constant")
    count = ndimage.convolve(known.astype(float), RING, mode="constant")
    usable = known & (count > 0.5)
    mean = np.divide(around, count, out=np.full_like(filled, np.nan), where=usable)
    return correlation(*(np.where(usable, item, np.nan).reshape(len(maps), -1).T
                         for item in (maps, mean)))  # fmt: skip


def correlation(first, second):
    """Pearson's correlation [U] over bins of two arrays [B, U], where both are known."""
    known = np.isfinite(first) & np.isfinite(second)
    pair = [np.where(known, item, np.nan) for item in (first, second)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # units without a single known bin
        pair = [item - np.nanmean(item, axis=0) for item in pair]
    products = [np.nansum(a * b, axis=0) for a, b in (pair, pair[:1] * 2, pair[1:] * 2)]
    scale = np.sqrt(products[1] * products[2])
    return np.divide(products[0], scale, out=np.full_like(scale, np.nan), where=scale > 0)


def nearness(bins, place, walls):
    """(near, far) [4, B]: share of a bin's steps by a wall, and away from it, per direction.

    `place` [T] and `walls` [T, 4] per step; on fixed ground a share is 0 or 1.
    """
    index = np.searchsorted(bins, place).clip(max=max(len(bins) - 1, 0))
    rows = np.flatnonzero(bins[index] == place) if len(bins) else np.arange(0)
    index, count = index[rows], len(bins)
    steps = np.maximum(np.bincount(index, minlength=count), 1)
    sides = [walls[rows] <= NEAR, walls[rows] > BEYOND]
    return [
        np.stack([np.bincount(index, side, count) / steps for side in item.T]) for item in sides
    ]


def by_walls(rates, near, far):
    """(mean near, mean far) [4, U] of rates [B, U]; NaN where no bin is near, or far."""
    sums = [weight @ rates for weight in (near, far)]
    totals = [weight.sum(axis=1)[:, None] * np.ones(rates.shape[1]) for weight in (near, far)]
    return [
        np.divide(total, count, out=np.full_like(count, np.nan), where=count > 0)
        for total, count in zip(sums, totals, strict=True)
    ]


def border_score(rates, near, far):
    """Highest (mean near - mean far)/(mean near + mean far) [U] of the four directions.

    NaN without a wall within reach.
    """
    close, away = by_walls(rates, near, far)
    total = close + away
    score = np.divide(close - away, total, out=np.full_like(total, np.nan), where=total > 0)
    return np.where(np.isfinite(score).any(axis=0), np.fmax.reduce(score, axis=0), np.nan)
