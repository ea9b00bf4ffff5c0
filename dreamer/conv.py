"""5x5 convolutions, alone and beside a 2x resampling. In the shapes, N is images."""

import jax.numpy as jnp
from jax import lax

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def conv(x, kernel, bias, *, form=None):
    """5x5 SAME convolution, stride 1. x [N, H, W, C], kernel [5, 5, C, D] -> [N, H, W, D]."""
    out = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=DIMENSIONS)
    return out + bias


def conv_pool(x, kernel, bias, *, form=None):
    """`conv`, then 2x2 max-pooling -> [N, H/2, W/2, D]."""
    y = conv(x, kernel, bias)
    n, h, w, c = y.shape
    return y.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def upsample_conv(x, kernel, bias, *, form=None):
    """Nearest 2x upsampling, then `conv` -> [N, 2H, 2W, D]."""
    return conv(jnp.repeat(jnp.repeat(x, 2, 1), 2, 2), kernel, bias)
