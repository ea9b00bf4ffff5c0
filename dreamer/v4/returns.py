"""λ-returns over an imagined rollout (arXiv 2509.24527, read as DreamerV3's: see docs).

In the shapes, B is rollouts, H imagined steps. Index t of `reward` and `go_on` is what came with
state t + 1; `value` has one more entry than these.
"""

import jax
import jax.numpy as jnp


def lambda_returns(reward, go_on, value, discount, lam):
    """G_t = r_{t+1} + γ c_{t+1} ((1 - λ) v_{t+1} + λ G_{t+1}), G_H = v_H.

    reward, go_on [B, H] and value [B, H + 1] give G [B, H].
    """

    def back(following, inputs):
        came, lasts, after = inputs
        found = came + discount * lasts * ((1 - lam) * after + lam * following)
        return found, found

    inputs = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), (reward, go_on, value[:, 1:]))
    _, found = jax.lax.scan(back, value[:, -1], inputs, reverse=True)
    return jnp.swapaxes(found, 0, 1)


def weights(go_on):
    """Probability [B, H] that state t is reached at all: the product of c_1 to c_t."""
    return jnp.cumprod(jnp.concatenate([jnp.ones_like(go_on[:, :1]), go_on[:, :-1]], 1), 1)
