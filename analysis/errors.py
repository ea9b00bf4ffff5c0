"""How wrong a guessed position is, in the units of the question.

In the shapes, T is steps, K classes; positions [T, 2] are (x, y) in tiles.
"""

import numpy as np

FLOOR = 0.001


def euclidean(guess, truth):
    """Straight distance in tiles, [...]."""
    return np.linalg.norm(np.asarray(guess, float) - truth, axis=-1)


def manhattan(guess, truth):
    """|dx| + |dy| in tiles, [...]."""
    return np.abs(np.asarray(guess, float) - truth).sum(-1)


def hit(guess, truth):
    """Whether the guess, rounded to a tile, is the true tile, [...]."""
    return (np.rint(guess) == truth).all(-1)


def r_squared(guess, truth):
    """1 - residual/total sum of squares for x and y, [2]; NaN where an axis never changes."""
    residual = ((guess - truth) ** 2).sum(0)
    total = ((truth - truth.mean(0)) ** 2).sum(0).astype(float)
    return 1 - residual / np.where(total > 0, total, np.nan)


def columns(tiles, truth):
    """Index [T] into tiles [K, 2] of each true tile; -1 where training never saw it."""
    index = {tuple(tile): number for number, tile in enumerate(tiles.tolist())}
    return np.array([index.get(tuple(tile), -1) for tile in np.asarray(truth).tolist()], int)


def own(probabilities, index):
    """Probability [T] given to the true tile; 0 where the tile has no class."""
    found = probabilities[np.arange(len(index)), index].astype(np.float64)
    return np.where(index >= 0, found, 0.0)


def cross_entropy(probability, floor_tiles):
    """-log2(0.999 p + 0.001/walkable tiles) in bits: an unseen tile costs much, not infinity."""
    return -np.log2((1 - FLOOR) * np.asarray(probability) + FLOOR / floor_tiles)


def entropy(probabilities):
    """Entropy [T] of each row in bits."""
    rows = probabilities.astype(np.float64)
    return -(rows * np.log2(np.where(rows > 0, rows, 1.0))).sum(1)
