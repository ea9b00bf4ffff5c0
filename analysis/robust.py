"""Multinomial logistic regression with L2 over the tiles visited in training.

    minimise  mean_t -log softmax(w' x_t + b)[tile_t]  +  strength/2 |w|²       (b is free)

It is convex, so it has one answer, found by L-BFGS in principal axes: there the Hessian is close
to diagonal, which makes a diagonal preconditioner worth tens of iterations.
In the shapes, T is steps, r principal axes, K classes.
"""

import numpy as np
from scipy.optimize import minimize

MAX_ITERATIONS = 1000


def solve(rotated, values, labels, count, strength, tolerance, start=None):
    """Weights [r + 1, K] (bias last) and whether the tolerance was reached.

    rotated [T, r] with variances `values` [r]; labels [T] in range(count). Solved until no entry
    of the preconditioned gradient exceeds `tolerance`, or until float32 can say no more.
    """
    inputs = _with_bias(rotated)
    scale = _preconditioner(values, labels, count, strength)
    penalty = np.full((len(scale), 1), strength)
    penalty[-1] = 0.0
    picked = (np.arange(len(labels)), labels)

    def objective(flat):
        weights = flat.reshape(scale.shape) * scale
        probabilities, loss = softmax(inputs @ weights.astype(np.float32), picked)
        probabilities[picked] -= 1
        gradient = inputs.T @ probabilities / len(labels) + penalty * weights
        return loss + (penalty * weights**2).sum() / 2, (gradient * scale).ravel()

    first = np.zeros(scale.shape) if start is None else start / scale
    settings = {"gtol": tolerance, "ftol": 1e-9, "maxiter": MAX_ITERATIONS, "maxcor": 10}
    found = minimize(objective, first.ravel(), jac=True, method="L-BFGS-B", options=settings)
    return found.x.reshape(scale.shape) * scale, bool(found.success)


def probabilities(rotated, weights):
    """Softmax over the classes, [T, K] float32."""
    logits = _with_bias(rotated) @ weights.astype(np.float32)
    return softmax(logits)[0]


def choose(train, held, count, strengths, tolerance, score):
    """The strength with the smallest `score(probabilities)` on held-out activity, and its weights.

    train = (rotated, values, labels), held [T', r]. Strengths go from strong to weak, each started
    from the last solution, and stop at the first that is worse than the one before.
    """
    best, weights, found = np.inf, None, None
    for strength in sorted(strengths, reverse=True):
        weights, _ = solve(*train, count, strength, tolerance, weights)
        value = score(probabilities(held, weights))
        if value >= best:
            break
        best, found = value, strength
    return found


def softmax(logits, picked=None):
    """Probabilities [T, K], computed in place, and the mean cross-entropy (nats) at `picked`."""
    logits -= logits.max(1, keepdims=True)
    own = None if picked is None else logits[picked].astype(np.float64)
    np.exp(logits, out=logits)
    total = logits.sum(1, keepdims=True, dtype=np.float32)
    logits /= total
    loss = None if picked is None else (np.log(total[:, 0].astype(np.float64)) - own).mean()
    return logits, loss


def _with_bias(rotated):
    ones = np.ones((len(rotated), 1))
    return np.concatenate([rotated, ones], 1).astype(np.float32)


def _preconditioner(values, labels, count, strength):
    """Inverse square root of the Hessian's diagonal while the guess is still the occupancy."""
    share = np.bincount(labels, minlength=count) / len(labels)
    spread = share * (1 - share) + 1 / len(labels) ** 2
    curvature = np.append(values, 1.0)[:, None] * spread
    curvature[:-1] += strength
    return 1 / np.sqrt(curvature)
