"""Multinomial logistic regression with L2 over the tiles visited in training.

    minimise  mean_t -log softmax(w' x_t + b)[tile_t]  +  strength/2 |w|²       (b is free)

It is convex, so it has one answer, found by L-BFGS in principal axes: there the Hessian is close
to diagonal, which makes a diagonal preconditioner worth tens of iterations.
In the shapes, T is steps, r principal axes, K classes.
"""

from typing import NamedTuple

import numpy as np

from analysis import lbfgs

MAX_ITERATIONS = 1000
HOPELESS = 0.1  # bits worse than the best strength, from where weaker ones only overfit more


class Choice(NamedTuple):
    """The best strength of a search and the weights [r + 1, K] found with it."""

    strength: float
    weights: np.ndarray
    score: float


def solve(rotated, values, labels, count, strength, tolerance, start=None):
    """Weights [r + 1, K] (bias last) and whether the tolerance was reached.

    rotated [T, r] with variances `values` [r]; labels [T] in range(count). Solved until no entry
    of the preconditioned gradient exceeds `tolerance`, from `start` or from the occupancy.
    """
    scale = _preconditioner(values, labels, count, strength)
    penalty = np.full((len(scale), 1), strength, np.float32)
    penalty[-1] = 0.0
    picked = (np.arange(len(labels)), labels)

    def objective(scaled):
        weights = scaled * scale
        probabilities, loss = softmax(rotated @ weights[:-1] + weights[-1], picked)
        probabilities[picked] -= 1
        gradient = np.empty_like(weights)
        gradient[:-1], gradient[-1] = rotated.T @ probabilities, probabilities.sum(0)
        gradient /= len(labels)
        gradient += penalty * weights
        return loss + strength * float(np.vdot(weights[:-1], weights[:-1])) / 2, gradient * scale

    if start is None:
        start = np.zeros(scale.shape)
        start[-1] = np.log(np.maximum(np.bincount(labels, minlength=count), 1) / len(labels))
    found, solved = lbfgs.minimise(objective, start / scale, tolerance, MAX_ITERATIONS)
    return found * scale, solved


def probabilities(rotated, weights):
    """Softmax over the classes, [T, K] float32."""
    return softmax(rotated @ weights[:-1] + weights[-1])[0]


def choose(train, held, count, strengths, tolerance, score):
    """The strength with the smallest `score(probabilities)` (bits) on held-out activity: a Choice.

    train = (rotated, values, labels), held [T', r]. Strengths go from strong to weak, each started
    from the last solution, until one is hopeless. A parabola through the best and its neighbours
    then says where between them to look once more.
    """
    tried, weights = [], None
    for strength in sorted(strengths, reverse=True):
        weights, _ = solve(*train, count, strength, tolerance, weights)
        tried.append(Choice(strength, weights, score(probabilities(held, weights))))
        best = min(tried, key=lambda item: item.score)
        if tried[-1].score > best.score + HOPELESS:
            break
        tried = [item if item is best else item._replace(weights=None) for item in tried]
    between = _vertex(tried, tried.index(best))
    if between is not None:
        weights, _ = solve(*train, count, between, tolerance, best.weights)
        refined = Choice(between, weights, score(probabilities(held, weights)))
        best = min(best, refined, key=lambda item: item.score)
    return best


def softmax(logits, picked=None):
    """Probabilities [T, K], computed in place, and the mean cross-entropy (nats) at `picked`."""
    logits -= logits.max(1, keepdims=True)
    own = None if picked is None else logits[picked].astype(np.float64)
    np.exp(logits, out=logits)
    total = logits.sum(1, keepdims=True, dtype=np.float32)
    logits /= total
    loss = None if picked is None else (np.log(total[:, 0].astype(np.float64)) - own).mean()
    return logits, loss


def _vertex(tried, place):
    """The strength at the lowest point of the parabola through three neighbours, or None."""
    if not 0 < place < len(tried) - 1:
        return None
    near = tried[place - 1 : place + 2]
    logs = np.log([item.strength for item in near])
    bend, slope, _ = np.polyfit(logs - logs[1], [item.score for item in near], 2)
    return float(np.exp(logs[1] - slope / (2 * bend))) if bend > 0 else None


def _preconditioner(values, labels, count, strength):
    """Inverse square root of the Hessian's diagonal while the guess is still the occupancy."""
    share = np.bincount(labels, minlength=count) / len(labels)
    spread = share * (1 - share) + 1 / len(labels) ** 2
    curvature = np.append(values, 1.0)[:, None] * spread
    curvature[:-1] += strength
    return (1 / np.sqrt(curvature)).astype(np.float32)
