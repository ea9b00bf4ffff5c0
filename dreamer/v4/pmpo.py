"""The policy's objective: PMPO with a penalty for leaving the prior (arXiv 2509.24527).

Only the sign of an advantage counts. Everything is a sum over imagined states, so that a batch may
be computed in parts and put together before the division: set means are means of the whole batch.
"""

import jax.numpy as jnp


def sums(log_prob, advantage, divergence, weight):
    """{name: sum} over imagined states; all arguments have one shape.

    log_prob is of the action that was taken, divergence is KL(policy || prior), weight 1 or the
    probability that the state is reached. An advantage of zero counts as positive.
    """
    above = (advantage >= 0).astype(jnp.float32) * weight
    below = (advantage < 0).astype(jnp.float32) * weight
    return {
        "above": above.sum(),
        "below": below.sum(),
        "log_above": (above * log_prob).sum(),
        "log_below": (below * log_prob).sum(),
        "kl": (weight * divergence).sum(),
    }


def loss(total, alpha, beta):
    """(1 - α) mean⁻ ln π - α mean⁺ ln π + β mean KL from `sums`; an empty set adds nothing."""
    below = (1 - alpha) * total["log_below"] / _some(total["below"])
    above = alpha * total["log_above"] / _some(total["above"])
    return below - above + beta * total["kl"] / _some(total["above"] + total["below"])


def _some(count):
    return jnp.where(count > 0, count, 1.0)
