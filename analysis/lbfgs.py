"""L-BFGS in float32 (Nocedal & Wright, Numerical Optimization, algorithm 7.4).

scipy's own keeps float64 copies and works out bounds that nothing here has: for classifiers of a
hundred thousand weights that takes as long as the matrix products.
"""

from collections import deque

import numpy as np

MEMORY = 10  # pairs of steps and gradient changes that model the curvature
SUFFICIENT = 1e-4  # share of the promised decrease that a step must bring (Armijo)
ROUNDING = 1e-8  # decrease of a mean loss that float32 products can no longer resolve
SHORTEST = 1e-4


def minimise(objective, start, tolerance, limit):
    """The minimum of a smooth convex function, and whether `tolerance` was reached.

    objective(x) gives a float and the gradient, an array like x. Solved when no entry of the
    gradient exceeds `tolerance`; given up after `limit` steps or where no step helps.
    """
    x, pairs = start.astype(np.float32), deque(maxlen=MEMORY)
    value, gradient = objective(x)
    for _ in range(limit):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_scaled(gradient, pairs)
        taken = _search(objective, x, value, gradient, direction)
        if taken is None:
            break
        after, value, changed = taken
        move, change = after - x, changed - gradient
        x, gradient = after, changed
        curvature = _dot(move, change)
        if curvature > 0:
            pairs.append((move, change, 1 / curvature))
    return x, bool(np.abs(gradient).max() <= tolerance)


def _search(objective, x, value, gradient, direction):
    """(new x, value, gradient) of the first halved step that decreases enough, else None."""
    slope, length = _dot(gradient, direction), 1.0
    while length > SHORTEST:
        trial = x + np.float32(length) * direction
        found, changed = objective(trial)
        if found <= value + SUFFICIENT * length * slope + ROUNDING:
            return trial, found, changed
        length /= 2
    return None


def _scaled(gradient, pairs):
    """The gradient times the inverse Hessian that the pairs tell of (the two-loop recursion)."""
    found, kept = gradient.copy(), []
    for move, change, weight in reversed(pairs):
        share = weight * _dot(move, found)
        found -= np.float32(share) * change
        kept.append(share)
    if pairs:
        _, change, weight = pairs[-1]
        found *= np.float32(1 / (weight * _dot(change, change)))
    else:
        found *= np.float32(1 / max(1.0, np.linalg.norm(gradient)))
    for (move, change, weight), share in zip(pairs, reversed(kept), strict=True):
        found += np.float32(share - weight * _dot(change, found)) * move
    return found


def _dot(a, b):
    return float(np.vdot(a, b))
