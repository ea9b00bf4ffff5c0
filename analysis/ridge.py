"""Ridge regression from activity to (x, y): one eigendecomposition serves every strength.

In the shapes, T is steps, D units, r the directions in which the activity varies.
"""

from typing import NamedTuple

import numpy as np

# Directions with less than this share of the largest variance are rounding error.
NEGLIGIBLE = 1e-10
# Units that vary less than this share of the layer's most varying unit, or of their own mean, count
# as constant: dividing by so little would blow up whatever they do in the test.
STILL, ROUNDING = 1e-6, 1e-9
CHUNK = 4096  # steps held in double precision at a time


class Basis(NamedTuple):
    """Standardised training activity in its principal axes, shared by ridge and classifier."""

    mean: np.ndarray  # [D]
    scale: np.ndarray  # [D], 1 for units that never change
    vectors: np.ndarray  # [D, r] principal axes
    values: np.ndarray  # [r] variance along them
    rotated: np.ndarray  # [T, r] float32


def basis(activity):
    """Basis of activity [T, D]: right singular vectors and squared singular values over T.

    They come from the smaller of the two Gram matrices, which is several times cheaper than a
    singular value decomposition and as good for penalties far above rounding error.
    """
    mean, scale = _moments(activity)
    steps, units = activity.shape
    if units <= steps:
        gram = sum(part.T @ part for part in _standard(activity, mean, scale)) / steps
        values, vectors = np.linalg.eigh(gram)
    else:
        unit = np.concatenate(list(_standard(activity, mean, scale)))
        values, left = np.linalg.eigh(unit @ unit.T / steps)
        vectors = unit.T @ (left / np.sqrt(np.maximum(values, 1e-30) * steps))
    keep = values > NEGLIGIBLE * max(values[-1], NEGLIGIBLE)
    found = Basis(mean, scale, np.ascontiguousarray(vectors[:, keep]), values[keep], None)
    return found._replace(rotated=rotate(found, activity))


def rotate(found, activity):
    """Activity [T, D] in the axes of a basis, [T, r] float32."""
    made = np.empty((len(activity), len(found.values)), np.float32)
    parts = _standard(activity, found.mean, found.scale)
    for start, part in zip(range(0, len(activity), CHUNK), parts, strict=True):
        made[start : start + CHUNK] = part @ found.vectors
    return made


def solve(found, target, strength):
    """Weights [r, K] and bias [K] that minimise |target - rotated w - b|²/T + strength |w|².

    `target` is [T, K]; several swapped targets go side by side in K.
    """
    bias = target.mean(0)
    moments = found.rotated.T @ (target - bias).astype(np.float32) / len(target)
    return moments / (found.values + strength)[:, None], bias


def choose(found, target, held, held_target, strengths):
    """The strength with the smallest mean Euclidean error on held-out rotated activity."""

    def error(strength):
        weights, bias = solve(found, target, strength)
        return np.linalg.norm(held @ weights + bias - held_target, axis=1).mean()

    return min(strengths, key=error)


def _standard(activity, mean, scale):
    """Standardised activity in double precision, some steps at a time."""
    for start in range(0, len(activity), CHUNK):
        yield (activity[start : start + CHUNK].astype(np.float64) - mean) / scale


def _moments(activity):
    """Mean and standard deviation [D] in double precision; 1 for units that never change."""
    mean = activity.mean(0, dtype=np.float64)
    square = sum((part**2).sum(0) for part in _standard(activity, mean, 1.0))
    scale = np.sqrt(square / len(activity))
    varies = (scale > STILL * scale.max(initial=0)) & (scale > ROUNDING * np.abs(mean))
    return mean, np.where(varies, scale, 1.0)
