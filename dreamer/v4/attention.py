"""Attention of DreamerV4: rotary positions, capped logits, shared keys; in space, time, memory.

Softmax and norms are computed in float32. In the shapes, S slots, n query heads, m key heads, h
channels of a head. Plain products: on two cores at the sizes of t1 they are as fast as
jax.nn.dot_product_attention, which cannot cap.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import nets

BASE = 10000.0  # of the rotary frequencies
HIDDEN = -1e30  # the logit of a key that must not be seen


def within(mask, softcap):
    """Attention among the slots of each frame, which are told apart by their index."""

    def look(query, key, value):
        positions = np.arange(query.shape[2])
        query, key = rotate(query, positions), rotate(key, positions)
        flat = (x.reshape(-1, *x.shape[2:]) for x in (query, key, value))
        return attention(*flat, mask[None], softcap).reshape(query.shape)

    return look


def along(mask, softcap):
    """Attention of each slot over its frames."""

    def look(query, key, value):
        batch, _, slots = query.shape[:3]
        query, key, value = (_by_slot(x) for x in (query, key, value))
        positions = np.arange(query.shape[1])
        query, key = rotate(query, positions), rotate(key, positions)
        seen = mask if len(mask) == 1 else jnp.repeat(mask, slots, 0)
        out = attention(query, key, value, seen, softcap)
        return jnp.swapaxes(out.reshape(batch, slots, *out.shape[1:]), 1, 2)

    return look


def remembering(past, softcap, fresh):
    """Attention of the present frame over `past` and itself; its keys and values go to fresh."""
    keys, values, count = past

    def look(query, key, value):
        fresh.append((key, value))
        slots, length = query.shape[2], keys.shape[1] + 1
        key, value = (
            _by_slot(jnp.concatenate([old[:, :, :slots].astype(new.dtype), new], 1))
            for old, new in ((keys, key), (values, value))
        )
        query = rotate(_by_slot(query), np.arange(length - 1, length))
        key = rotate(key, np.arange(length))
        seen = jnp.arange(length) >= length - 1 - count[:, None]
        out = attention(query, key, value, jnp.repeat(seen, slots, 0)[:, None], softcap)
        return jnp.swapaxes(out.reshape(-1, slots, *out.shape[1:]), 1, 2)

    return look


def norm(x, scale=None):
    """x / sqrt(mean(x^2) + 1e-6), times `scale`, over the last axis."""
    wide = x.astype(jnp.float32)
    wide = wide * jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + 1e-6)
    return (wide if scale is None else wide * scale).astype(x.dtype)


def rotate(x, positions):
    """Rotary positions [T] on x [..., T, heads, h]: pairs (i, i + h/2) turn by p * BASE^(-2i/h)."""
    half = x.shape[-1] // 2
    speed = BASE ** (-np.arange(half, dtype=np.float32) / half)
    angle = positions[:, None, None] * speed
    cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    one, two = x[..., :half], x[..., half:]
    return jnp.concatenate([one * cos - two * sin, one * sin + two * cos], -1)


def attention(query, key, value, mask, softcap):
    """[N, Q, n, h] from query [N, Q, n, h], key and value [N, K, m, h], mask [N or 1, Q, K].

    n / m queries share a key head. Logits are capped before the mask, so that hidden stays hidden.
    """
    rows, length, heads, channels = query.shape
    query = query.reshape(rows, length, key.shape[2], -1, channels)
    logits = jnp.einsum("nqmgh,nkmh->nmgqk", query, key, precision=nets.EXACT)
    logits = cap(logits.astype(jnp.float32) * channels**-0.5, softcap)
    logits = jnp.where(mask[:, None, None], logits, HIDDEN)
    weights = jax.nn.softmax(logits).astype(value.dtype)
    out = jnp.einsum("nmgqk,nkmh->nqmgh", weights, value, precision=nets.EXACT)
    return out.reshape(rows, length, heads, channels)


def cap(logits, limit):
    """limit * tanh(logits / limit); 0 is no limit."""
    return limit * jnp.tanh(logits / limit) if limit else logits


def _by_slot(x):
    """[B, T, S, ...] to [B * S, T, ...]."""
    x = jnp.swapaxes(x, 1, 2)
    return x.reshape(-1, *x.shape[2:])
