"""The published linear decoder (Levenstein et al., bioRxiv 2024.04.28.591528): softmax, all tiles.

No bias, no standardisation, weights from zero by AdamW (Loshchilov & Hutter 2019); every iteration
takes half of the training steps, drawn without replacement. In the shapes, T is steps, D units,
K tiles.
"""

import numpy as np

from analysis import robust

RATE, DECAY = 1e-3, 0.3
BETAS, EPSILON = (0.9, 0.999), 1e-8
CHECK = 10  # iterations between two looks at the held-out loss


def train(activity, labels, count, options, held=None):
    """Weights [D, K] and the number of iterations that were run.

    activity [T, D] float32, labels [T] in range(count), `held` another such pair. With `patience`
    the weights are those of the best held-out loss, and training stops once `patience`
    **iterations** brought no better one; 0 or no held-out data trains for all `n_iters`.
    """
    rng = np.random.default_rng(options["seed"])
    state = [np.zeros((activity.shape[1], count), np.float32) for _ in range(3)]
    patience = options["patience"] if held else 0
    every = min(CHECK, patience)
    best, kept, since = np.inf, None, 0
    for iteration in range(1, options["n_iters"] + 1):
        rows = rng.permutation(len(labels))[: max(1, len(labels) // 2)]
        adamw(*state, gradient(activity[rows], labels[rows], state[0]), iteration)
        if patience and iteration % every == 0:
            value = loss(*held, state[0])
            if value < best:
                best, kept, since = value, state[0].copy(), iteration
            elif iteration - since >= patience:
                break
    return state[0] if kept is None else kept, iteration


def gradient(activity, labels, weights):
    """Gradient [D, K] of the mean cross-entropy."""
    probabilities = robust.softmax(activity @ weights)[0]
    probabilities[np.arange(len(labels)), labels] -= 1
    return activity.T @ probabilities / np.float32(len(labels))


def loss(activity, labels, weights):
    """Mean cross-entropy in nats."""
    return robust.softmax(activity @ weights, (np.arange(len(labels)), labels))[1]


def adamw(weights, mean, square, slope, iteration):
    """One AdamW update in place, with decay apart from the gradient; `iteration` counts from 1."""
    for moment, beta, value in ((mean, BETAS[0], slope), (square, BETAS[1], slope**2)):
        moment *= np.float32(beta)
        moment += np.float32(1 - beta) * value
    first, second = (1 - beta**iteration for beta in BETAS)
    weights *= np.float32(1 - RATE * DECAY)
    denominator = np.sqrt(square / np.float32(second))
    denominator += np.float32(EPSILON)
    weights -= np.float32(RATE / first) * mean / denominator
