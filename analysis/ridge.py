"""Ridge regression from activity to (x, y): one eigendecomposition serves every strength.

In the shapes, T is steps, D units, r the directions in which the activity varies.
"""

from typing import NamedTuple

import numpy as np

# Directions with less than this share of the largest variance are rounding error.
NEGLIGIBLE = 1e-10


class Basis(NamedTuple):
    """Standardised training activity in its principal axes, shared by ridge and classifier."""

    mean: np.ndarray  # [D]
    scale: np.ndarray  # [D], 1 for units that never change
    vectors: np.ndarray  # [D, r] principal axes
    values: np.ndarray  # [r] variance along them
    rotated: np.ndarray  # [T, r]


def basis(activity):
    """Basis of activity [T, D]: right singular vectors and squared singular values over T.

    They come from the smaller of the two Gram matrices, which is several times cheaper than a
    singular value decomposition and as good for penalties far above rounding error.
    """
    mean, scale = activity.mean(0), activity.std(0)
    scale = np.where(scale > 1e-6, scale, 1.0).astype(np.float32)
    unit = ((activity - mean) / scale).astype(np.float64)
    steps, units = unit.shape
    if units <= steps:
        values, vectors = np.linalg.eigh(unit.T @ unit / steps)
    else:
        values, left = np.linalg.eigh(unit @ unit.T / steps)
        vectors = unit.T @ (left / np.sqrt(np.maximum(values, 1e-30) * steps))
    keep = values > NEGLIGIBLE * max(values[-1], NEGLIGIBLE)
    vectors = vectors[:, keep]
    return Basis(mean, scale, vectors, values[keep], unit @ vectors)


def rotate(found, activity):
    """Other activity [T, D] in the axes of a basis, [T, r]."""
    return ((activity - found.mean) / found.scale).astype(np.float64) @ found.vectors


def solve(found, target, strength):
    """Weights [r, K] and bias [K] that minimise |target - rotated w - b|²/T + strength |w|².

    `target` is [T, K]; several swapped targets go side by side in K.
    """
    bias = target.mean(0)
    moments = found.rotated.T @ (target - bias) / len(target)
    return moments / (found.values + strength)[:, None], bias


def choose(found, target, held, held_target, strengths):
    """The strength with the smallest mean Euclidean error on held-out rotated activity."""

    def error(strength):
        weights, bias = solve(found, target, strength)
        return np.linalg.norm(held @ weights + bias - held_target, axis=1).mean()

    return min(strengths, key=error)
