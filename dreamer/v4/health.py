"""Whether a tokenizer is healthy: what it keeps of images, and whether its latents are alive."""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.v4 import perceptual, tokenizer

SATURATED = 0.99  # of a latent's range


def report(values, config, images, regions=None):
    """{name: float} of uint8 clips [B, T, H, W, 3], none of whose patches is hidden.

    psnr: of the reconstruction in dB, psnr/mean_image: of the mean of these images, psnr/shuffled:
    of what is decoded from the latents of the next clip; psnr/<name> and psnr/mean_image/<name> for
    each of `regions` {name: (rows, columns)}, slices of the cropped image. rank, cosine, std,
    std/least and saturated are of the latents.
    """
    found = jax.jit(_judge, static_argnums=1)(values, config, images)
    image, target = found.pop("found"), found.pop("target")
    for name, (rows, columns) in (regions or {}).items():
        part = ..., rows, columns, slice(None)
        found[f"psnr/{name}"] = perceptual.psnr(image[part], target[part])
        average = target[part].mean((0, 1))
        found[f"psnr/mean_image/{name}"] = perceptual.psnr(average, target[part])
    return {name: float(value) for name, value in found.items()}


def rank(z):
    """Effective rank of z [N, K]: exp of the entropy of the covariance's eigenvalues' shares."""
    share = jnp.maximum(jnp.linalg.eigvalsh(jnp.atleast_2d(jnp.cov(z, rowvar=False))), 0)
    share = share / jnp.maximum(share.sum(), 1e-12)
    return jnp.exp(-(share * jnp.log(jnp.maximum(share, 1e-12))).sum())


def cosine(z):
    """Mean cosine between different rows of z [N, K]; near 1 where latents have collapsed."""
    unit = z / jnp.maximum(jnp.linalg.norm(z, axis=-1, keepdims=True), 1e-12)
    count = len(z)
    return (jnp.square(unit.sum(0)).sum() - jnp.square(unit).sum()) / max(count * (count - 1), 1)


def _judge(values, config, images):
    target = tokenizer.pixels(config, images)
    z = tokenizer.encode(values, config, images)
    image = jnp.clip(tokenizer.decode(values, config, z), 0, 1)
    other = jnp.clip(tokenizer.decode(values, config, jnp.roll(z, 1, 0)), 0, 1)
    flat = z.reshape(-1, np.prod(z.shape[2:]))
    std = flat.std(0)
    return {
        "found": image,
        "target": target,
        "psnr": perceptual.psnr(image, target),
        "psnr/mean_image": perceptual.psnr(target.mean((0, 1)), target),
        "psnr/shuffled": perceptual.psnr(other, target),
        "ssim": perceptual.similarity(image, target).mean(),
        "rank": rank(flat),
        "cosine": cosine(flat),
        "std": std.mean(),
        "std/least": std.min(),
        "saturated": (jnp.abs(flat) > SATURATED).mean(),
    }
