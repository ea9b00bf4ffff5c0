"""Random numbers per row of a batch, so that they depend on neither its place nor its devices."""

import jax
import jax.numpy as jnp


def rows(key, count):
    """One key per row [B] from one key; keys that are one per row already stay."""
    if key.ndim:
        return key
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(jnp.arange(count))


def split(keys, count):
    """`count` arrays of keys [B] from keys [B]."""
    return jnp.moveaxis(jax.vmap(lambda key: jax.random.split(key, count))(keys), 1, 0)


def normal(keys, shape):
    """Standard normal [B, *shape]."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)


def uniform(keys, shape=()):
    """Uniform [B, *shape] in [0, 1)."""
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)
