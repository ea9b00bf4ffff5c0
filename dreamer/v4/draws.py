"""Random numbers for one key, or for keys [B], one per row of the first axis.

A row's numbers then depend on its own key alone: not on the rows beside it, nor on how a batch is
split among devices or microbatches.
"""

import jax
import jax.numpy as jnp

from dreamer import distributions

split = distributions.split


def normal(key, shape):
    """Standard normal float32."""
    return _rows(jax.random.normal, key, shape)


def uniform(key, shape):
    """Uniform float32 in [0, 1)."""
    return _rows(jax.random.uniform, key, shape)


def bernoulli(key, probability, shape):
    """True with this probability."""
    return uniform(key, shape) < probability


def randint(key, shape, count):
    """Whole numbers 0 to count - 1; count may be an array of `shape`."""
    return jnp.minimum((uniform(key, shape) * count).astype(jnp.int32), count - 1)


def typed(key):
    """Keys of either style as typed keys, which carry one axis per key and none for their bits."""
    known = key is None or jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return key if known else jax.random.wrap_key_data(key)


def _rows(draw, key, shape):
    if key.ndim:
        return jax.vmap(lambda one: draw(one, shape[1:]))(key)
    return draw(key, shape)
