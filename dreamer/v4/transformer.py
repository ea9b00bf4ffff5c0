"""Transformer layers over frames of tokens: within a frame (space) or along one slot (time).

Tokens are x [B, T, S, d]. Weights take the type of x; norms and softmax are computed in float32.
In the shapes, S slots, n query heads, m key heads, h channels of a head, C frames of a window.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from dreamer import nets
from dreamer.v4 import attention
from dreamer.v4.attention import norm


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


def run(values, name, stack, x, space, time):
    """x [B, T, S, d] and what it becomes after each layer, under space [S, S], time [.., T, T]."""
    looks = {
        "S": attention.within(space, stack.softcap),
        "T": attention.along(time, stack.softcap),
    }
    found = [x]
    for index, kind in enumerate(stack.layers):
        found.append(_layer(values, f"{name}/layer{index}", stack, found[-1], looks[kind]))
    return found


def start(stack, batch, window, slots, dtype):
    """Memory of no frames."""
    layers = stack.layers.count("T")
    empty = jnp.zeros((layers, batch, window - 1, slots, stack.kv_heads, stack.head), dtype)
    return Memory(empty, empty, jnp.zeros(batch, jnp.int32))


def step(values, name, stack, x, space, memory):
    """`run` on one more frame x [B, S, d], after the frames in memory, and the Memory with it.

    S may fall short of the memory's slots: the missing last ones are then not remembered.
    """
    fresh, found = [], [x[:, None]]
    for index, kind in enumerate(stack.layers):
        look = attention.within(space, stack.softcap)
        if kind == "T":
            past = memory.keys[len(fresh)], memory.values[len(fresh)], memory.count
            look = attention.remembering(past, stack.softcap, fresh)
        found.append(_layer(values, f"{name}/layer{index}", stack, found[-1], look))
    return [x[:, 0] for x in found], _push(memory, fresh)


def forget(memory, is_first):
    """The Memory with nothing in the rows where is_first [B]."""
    return memory._replace(count=jnp.where(is_first, 0, memory.count))


def dot(values, name, x):
    """x [..., in] times the matrix `name`, in the type of x."""
    return nets.dot(x, values[f"{name}/kernel"].astype(x.dtype))


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


def _push(memory, fresh):
    """The Memory after one more frame; the oldest one falls out."""
    size = memory.keys.shape[2]
    if not fresh or not size:
        return memory
    found = []
    for index, old in enumerate((memory.keys, memory.values)):
        new = jnp.stack([layer[index] for layer in fresh]).astype(old.dtype)
        missing = old.shape[3] - new.shape[3]
        new = jnp.pad(new, ((0, 0), (0, 0), (0, 0), (0, missing), (0, 0), (0, 0)))
        found.append(jnp.concatenate([old[:, :, 1:], new], 2))
    return Memory(*found, jnp.minimum(memory.count + 1, size))
