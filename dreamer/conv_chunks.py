"""Convolutions as matrix products over small chunks of images, fast on CPUs.

The windows of a chunk are gathered as the rows of a matrix, which one product turns into outputs;
the gradients gather again and are products too. XLA's own kernel gradients are slow on CPUs.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

CHUNK = 2**21  # bytes of gathered windows that a chunk may take, so that it stays in cache


class Ending(NamedTuple):
    """What follows the convolution within a chunk, and how a gradient comes back through it."""

    finish: Callable  # product [n, h, w, D] -> output, and what to remember of it
    arrange: Callable  # gradient of the output -> [N, h, w, .], on all images at once
    spread: Callable  # that and the memory -> gradient of the product [n, h, w, D]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x, kernel, ending):
    """SAME convolution of x [N, h, w, C] with an odd kernel [k, k, C, D], and its ending."""
    return _forward(x, kernel, ending)[0]


def _forward(x, kernel, ending):
    x = _border(x, len(kernel) // 2)

    def step(_, part):
        return None, ending.finish(_product(part, kernel))

    _, (out, memory) = _scan(step, None, x, kernel)
    return out, (x, kernel, memory)


def _backward(ending, kept, gradient):
    """The kernel's gradient is one product per chunk, summed in float32; the input's gradient is
    the convolution of the output's with the kernel turned around (unused, XLA drops it)."""
    x, kernel, memory = kept
    width = len(kernel) // 2
    turned = kernel[::-1, ::-1].swapaxes(2, 3)

    def step(total, part):
        x, gradient, memory = part
        wide = ending.spread(gradient, memory)
        inner = wide[:, width:-width, width:-width].reshape(-1, wide.shape[-1])
        total += jnp.matmul(_taps(x, len(kernel)).T, inner, preferred_element_type=jnp.float32)
        return total, _product(wide, turned)

    parts = x, *jax.tree.map(lambda y: _border(y, width), (ending.arrange(gradient), memory))
    total = jnp.zeros((kernel[..., 0].size, kernel.shape[-1]))
    total, out = _scan(step, total, parts, kernel)
    return out, total.reshape(kernel.shape).astype(kernel.dtype)


convolve.defvjp(_forward, _backward)


def _border(x, width):
    """Zeros around the images. Done once for all chunks: within one, XLA would do it per tap."""
    return jnp.pad(x, ((0, 0), (width, width), (width, width), (0, 0)))


def _product(x, kernel):
    """VALID convolution of a chunk [n, h+k-1, w+k-1, C] -> [n, h, w, D]."""
    n, height, width, _ = x.shape
    side, outputs = len(kernel), kernel.shape[-1]
    y = _taps(x, side) @ kernel.reshape(-1, outputs)
    return y.reshape(n, height - side + 1, width - side + 1, outputs)


def _taps(x, side):
    """The windows of x [n, h+side-1, w+side-1, C] as rows [n*h*w, side*side*C]."""
    n, height, width, channels = x.shape
    row = np.arange(height - side + 1)[:, None, None, None] + np.arange(side)[:, None]
    column = np.arange(width - side + 1)[:, None, None] + np.arange(side)
    windows = x.at[:, row, column].get(mode="promise_in_bounds")
    return windows.reshape(-1, side * side * channels)


def _scan(step, carry, parts, kernel):
    """`lax.scan` over equal chunks of images, so small that a chunk's taps take CHUNK bytes."""
    n, height, width, _ = jax.tree.leaves(parts)[0].shape
    taps = n * height * width * kernel[..., 0].size * 4
    count = min(n, -(-taps // CHUNK))
    while n % count:
        count += 1
    split = partial(jax.tree.map, lambda x: x.reshape(count, n // count, *x.shape[1:]))
    carry, found = lax.scan(step, carry, split(parts))
    return carry, jax.tree.map(lambda x: x.reshape(n, *x.shape[2:]), found)
