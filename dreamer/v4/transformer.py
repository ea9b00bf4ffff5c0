"""Transformer layers over frames of tokens: within a frame (space) or along one slot (time).

Tokens are x [B, T, S, d]. Weights take the type of x; norms and softmax are computed in float32.
In the shapes, S slots, n query heads, m key heads, h channels of a head, C frames of a window.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import nets

BASE = 10000.0  # of the rotary frequencies
HIDDEN = -1e30  # the logit of a key that must not be seen


class Stack(NamedTuple):
    """What the layers of one transformer have in common; one letter of `layers` for each."""

    layers: str
    width: int
    heads: int
    kv_heads: int
    softcap: float
    gain: float

    @property
    def head(self):
        return self.width // self.heads

    @property
    def hidden(self):
        """Width of the SwiGLU: 8/3 of the transformer's, as a multiple of 8."""
        return 8 * round(self.width / 3)


class Memory(NamedTuple):
    """Keys and values of past frames [layers, B, C - 1, S, m, h] and how many are valid [B].

    The newest frame stands last. Keys are kept unrotated: only distances matter.
    """

    keys: jax.Array
    values: jax.Array
    count: jax.Array


def shapes(name, stack):
    """{name: Leaf} of all layers."""
    found, deep = {}, (2 * len(stack.layers)) ** -0.5
    attended = (stack.heads + 2 * stack.kv_heads) * stack.head
    for index in range(len(stack.layers)):
        layer = f"{name}/layer{index}"
        found |= nets.norm_shapes(f"{layer}/norm0", stack.width)
        found |= nets.norm_shapes(f"{layer}/norm1", stack.width)
        found[f"{layer}/query/scale"] = nets.Leaf((stack.head,), fill=stack.gain)
        found[f"{layer}/key/scale"] = nets.Leaf((stack.head,), fill=stack.gain)
        found |= kernel(f"{layer}/attend", stack.width, attended)
        found |= kernel(f"{layer}/merge", stack.width, stack.width, deep)
        found |= kernel(f"{layer}/widen", stack.width, 2 * stack.hidden)
        found |= kernel(f"{layer}/narrow", stack.hidden, stack.width, deep)
    return found


def kernel(name, inputs, outputs, outscale=1.0):
    """A matrix [inputs, outputs] without bias, its deviation outscale / sqrt(inputs)."""
    scale = outscale * nets.TRUNCATION * inputs**-0.5
    return {f"{name}/kernel": nets.Leaf((inputs, outputs), scale)}


def learned(name, shape, std):
    """Learned tokens."""
    return {name: nets.Leaf(shape, nets.TRUNCATION * std)}


def run(values, name, stack, x, space, time, taps=None):
    """All layers on x [B, T, S, d], under the masks space [S, S] and time [B or 1, T, T].

    `taps`, a list, receives x after each layer.
    """
    for index, kind in enumerate(stack.layers):
        look = _within(space, stack) if kind == "S" else _along(time, stack)
        x = _layer(values, f"{name}/layer{index}", stack, x, look)
        if taps is not None:
            taps.append(x)
    return x


def start(stack, batch, window, slots, dtype):
    """Memory of no frames."""
    layers = stack.layers.count("T")
    empty = jnp.zeros((layers, batch, window - 1, slots, stack.kv_heads, stack.head), dtype)
    return Memory(empty, empty, jnp.zeros(batch, jnp.int32))


def step(values, name, stack, x, space, memory, taps=None):
    """All layers on one more frame x [B, S, d]; returns x and the Memory with this frame.

    S may fall short of the memory's slots: the missing last ones are then not remembered.
    """
    fresh, layer = [], 0
    x = x[:, None]
    for index, kind in enumerate(stack.layers):
        if kind == "S":
            look = _within(space, stack)
        else:
            past = memory.keys[layer], memory.values[layer], memory.count
            look, layer = _remembering(past, stack, fresh), layer + 1
        x = _layer(values, f"{name}/layer{index}", stack, x, look)
        if taps is not None:
            taps.append(x)
    return x[:, 0], _push(memory, fresh)


def forget(memory, is_first):
    """The Memory with nothing in the rows where is_first [B]."""
    return memory._replace(count=jnp.where(is_first, 0, memory.count))


def norm(x, scale=None):
    """x / sqrt(mean(x^2) + 1e-6), times `scale`, over the last axis."""
    wide = x.astype(jnp.float32)
    wide = wide * jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + 1e-6)
    return (wide if scale is None else wide * scale).astype(x.dtype)


def dot(values, name, x):
    """x [..., in] times the matrix `name`, in the type of x."""
    return nets.dot(x, values[f"{name}/kernel"].astype(x.dtype))


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


def _layer(values, name, stack, x, look):
    """x + attention, then + SwiGLU, each of the normed x; look(q, k, v) attends [B, T, S, n, h]."""
    h = dot(values, f"{name}/attend", norm(x, values[f"{name}/norm0/scale"]))
    h = h.reshape(*h.shape[:-1], -1, stack.head)
    query, key, value = jnp.split(h, [stack.heads, stack.heads + stack.kv_heads], -2)
    query = norm(query, values[f"{name}/query/scale"])
    key = norm(key, values[f"{name}/key/scale"])
    out = look(query, key, value)
    x = x + dot(values, f"{name}/merge", out.reshape(*x.shape))
    h = dot(values, f"{name}/widen", norm(x, values[f"{name}/norm1/scale"]))
    gate, up = jnp.split(h, 2, -1)
    return x + dot(values, f"{name}/narrow", jax.nn.silu(gate) * up)


def _within(mask, stack):
    """Attention among the slots of each frame, which are told apart by their index."""

    def look(query, key, value):
        positions = np.arange(query.shape[2])
        query, key = rotate(query, positions), rotate(key, positions)
        flat = (x.reshape(-1, *x.shape[2:]) for x in (query, key, value))
        return attention(*flat, mask[None], stack.softcap).reshape(query.shape)

    return look


def _along(mask, stack):
    """Attention of each slot over its frames."""

    def look(query, key, value):
        batch, _, slots = query.shape[:3]
        query, key, value = (_by_slot(x) for x in (query, key, value))
        positions = np.arange(query.shape[1])
        query, key = rotate(query, positions), rotate(key, positions)
        seen = mask if len(mask) == 1 else jnp.repeat(mask, slots, 0)
        out = attention(query, key, value, seen, stack.softcap)
        return jnp.swapaxes(out.reshape(batch, slots, *out.shape[1:]), 1, 2)

    return look


def _remembering(past, stack, fresh):
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
        out = attention(query, key, value, jnp.repeat(seen, slots, 0)[:, None], stack.softcap)
        return jnp.swapaxes(out.reshape(-1, slots, *out.shape[1:]), 1, 2)

    return look


def _by_slot(x):
    """[B, T, S, ...] to [B * S, T, ...]."""
    x = jnp.swapaxes(x, 1, 2)
    return x.reshape(-1, *x.shape[2:])


def _push(memory, fresh):
    """The Memory after one more frame; the oldest one falls out."""
    window = memory.keys.shape[2] + 1
    found = []
    for index, old in enumerate((memory.keys, memory.values)):
        if not fresh:
            return memory
        new = jnp.stack([layer[index] for layer in fresh]).astype(old.dtype)
        missing = old.shape[3] - new.shape[3]
        new = jnp.pad(new, ((0, 0), (0, 0), (0, 0), (0, missing), (0, 0), (0, 0)))
        found.append(jnp.concatenate([old, new], 2)[:, :, -(window - 1) :] if window > 1 else old)
    return Memory(*found, jnp.minimum(memory.count + 1, window - 1))
