"""Differences of images [..., H, W, 3] on the scale 0 to 1, without any learned network.

None of them is LPIPS, whose weights are not part of this project.
"""

import jax
import jax.numpy as jnp

SIDE = 7  # pixels of the window of SSIM


def gradient(found, target):
    """Mean absolute difference of the differences between neighbouring pixels."""
    rows = jnp.abs(jnp.diff(found, axis=-3) - jnp.diff(target, axis=-3)).mean()
    columns = jnp.abs(jnp.diff(found, axis=-2) - jnp.diff(target, axis=-2)).mean()
    return (rows + columns) / 2


def multiscale(found, target):
    """Mean squared error after averaging over 2 x 2 and over 4 x 4 pixels, their mean."""
    errors = [jnp.square(_pool(found - target, side, side)).mean() for side in (2, 4)]
    return sum(errors) / len(errors)


def ssim(found, target):
    """1 - the mean structural similarity."""
    return 1 - similarity(found, target).mean()


def similarity(found, target):
    """Structural similarity [...] of images, over windows of 7 x 7 pixels (Wang et al. 2004)."""

    def mean(x):
        return _pool(x, SIDE, 1)

    a, b = mean(found), mean(target)
    variances = mean(found**2) - a**2, mean(target**2) - b**2
    covariance = mean(found * target) - a * b
    light = (2 * a * b + 0.01**2) / (a**2 + b**2 + 0.01**2)
    structure = (2 * covariance + 0.03**2) / (sum(variances) + 0.03**2)
    return (light * structure).mean((-3, -2, -1))


def psnr(found, target, axes=None):
    """Peak signal-to-noise ratio in dB of the error pooled over `axes` (all of them)."""
    return decibel(jnp.square(found - target).mean(axes))


def decibel(error):
    """dB of a mean squared error on the scale 0 to 1; at most 100."""
    return -10 * jnp.log10(jnp.maximum(error, 1e-10))


def _pool(x, side, stride):
    """Means over side x side pixels, every `stride` pixels, where they fit."""
    flat = x.reshape(-1, *x.shape[-3:])
    window, strides = (1, side, side, 1), (1, stride, stride, 1)
    total = jax.lax.reduce_window(flat, 0.0, jax.lax.add, window, strides, "VALID") / side**2
    return total.reshape(*x.shape[:-3], *total.shape[1:])
