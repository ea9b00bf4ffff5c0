"""The tokenizer: a masked autoencoder from images to a few bounded latents per frame.

In the shapes, N patches of p x p pixels, L latents of D channels, d the width.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import nets
from dreamer.v4 import attention, draws, masks, perceptual, transformer
from dreamer.v4 import config as configs


def shapes(config):
    """{name: Leaf} of encoder and decoder."""
    o, (stack, mirror) = config.tok, stacks(config)
    pixels = 3 * o.patch**2
    found = nets.linear_shapes("tok/enc/patch", pixels, o.width)
    found |= transformer.learned("tok/enc/position", (config.patches, o.width), 0.5)
    found |= transformer.learned("tok/enc/hidden", (o.width,), 0.02)
    found |= transformer.learned("tok/enc/latent", (o.latents, o.width), 0.1)
    found |= transformer.shapes("tok/enc", stack)
    found |= nets.norm_shapes("tok/enc/norm", o.width)
    found |= nets.linear_shapes("tok/enc/out", o.width, o.channels, 0.5)
    found |= nets.linear_shapes("tok/dec/in", o.channels, o.width)
    found |= transformer.learned("tok/dec/latent", (o.latents, o.width), 0.5)
    found |= transformer.learned("tok/dec/readout", (o.width,), 0.1)
    found |= transformer.shapes("tok/dec", mirror)
    found |= nets.norm_shapes("tok/dec/norm", o.width)
    found |= nets.linear_shapes("tok/dec/out", o.width, pixels, 0.1)
    return found


def stacks(config):
    """Stacks of encoder and decoder."""
    o = config.tok
    rest = o.width, o.heads, o.heads, o.softcap, o.gain
    return transformer.Stack(o.encoder, *rest), transformer.Stack(o.decoder, *rest)


def encode(values, config, images, drop=None, taps=False):
    """z [B, T, L, D] in (-1, 1) from uint8 images [B, T, H, W, 3]; drop [B, T, N] hides patches.

    With taps also {enc/L{l}/patch, enc/L{l}/latent, tok/z_pre, tok/z: [B, T, slots, width]}.
    """
    x = _embed(values, config, images, drop)
    time = masks.time(x.shape[1], config.tok.window)
    found = transformer.run(values, "tok/enc", stacks(config)[0], x, _space(config), time)
    z, tapped = _read(values, config, found)
    return (z, tapped) if taps else z


def start_memory(config, batch):
    """Memory of an encoder that has seen nothing."""
    slots = config.patches + config.tok.latents
    return transformer.start(
        stacks(config)[0], batch, config.tok.window, slots, configs.dtype(config)
    )


def encode_step(values, config, memory, image, is_first, taps=False):
    """Memory, z [B, L, D] (and taps) of one more uint8 image [B, H, W, 3], as `encode` finds it."""
    x = _embed(values, config, image[:, None], None)[:, 0]
    memory = transformer.forget(memory, is_first)
    stack, space = stacks(config)[0], _space(config)
    found, memory = transformer.step(values, "tok/enc", stack, x, space, memory)
    z, tapped = _read(values, config, found)
    return (memory, z, tapped) if taps else (memory, z)


def decode(values, config, z):
    """Images [B, T, H, W, 3] on the scale 0 to 1, unclipped, from z [B, T, L, D]."""
    o = config.tok
    x = nets.linear(values, "tok/dec/in", z).astype(configs.dtype(config))
    x = x + values["tok/dec/latent"].astype(x.dtype)
    readout = values["tok/dec/readout"] + sinusoids(config.grid, o.width)
    readout = jnp.broadcast_to(readout.astype(x.dtype), (*x.shape[:2], *readout.shape))
    x = jnp.concatenate([x, readout], 2)
    space, time = masks.decoder(o.latents, config.patches), masks.time(x.shape[1], o.window)
    found = transformer.run(values, "tok/dec", stacks(config)[1], x, space, time)
    x = attention.norm(found[-1][:, :, o.latents :], values["tok/dec/norm/scale"])
    x = nets.linear(nets.cast(values, x.dtype), "tok/dec/out", x)
    return unpatch(config, x.astype(jnp.float32)) + 0.5


def loss(values, config, images, key):
    """{term: scalar} of the terms with a weight, with randomly hidden patches.

    All pixels count. `key` is one, or one per row [B], whose draws then do not depend on its place.
    """
    target = pixels(config, images)
    drop = hide(config, draws.rows(key, len(images)), images.shape[1])
    found = decode(values, config, encode(values, config, images, drop))
    terms = {"mse": jnp.square(found - target).mean()}
    for name in list(weights(config))[1:]:
        terms[name] = getattr(perceptual, name)(found, target)
    return terms


def weights(config):
    """{term of the loss: its weight after normalisation}."""
    more = {name: getattr(config.tok, name) for name in ("gradient", "multiscale", "ssim")}
    return {"mse": 1.0} | {name: weight for name, weight in more.items() if weight}


def hide(config, keys, length):
    """[B, T, N] bool: each image hides each patch with a chance of its own, uniform to tok.mask."""

    def row(key):
        share, patch = jax.random.split(key)
        share = jax.random.uniform(share, (length, 1), maxval=config.tok.mask)
        return jax.random.uniform(patch, (length, config.patches)) < share

    return jax.vmap(row)(keys)


def pixels(config, images):
    """uint8 images [..., H, W, 3], as observed or cropped, to float32 from 0 to 1, cropped."""
    height, width = config.image[:2]
    return images[..., :height, :width, :].astype(jnp.float32) / 255


def display(config, images):
    """uint8 images of the observed size from `decode`; what the crop cut off is black."""
    images = jnp.round(jnp.clip(images, 0, 1) * 255).astype(jnp.uint8)
    edge = [(0, 0)] * (images.ndim - 3) + [(0, config.tok.crop)] * 2 + [(0, 0)]
    return jnp.pad(images, edge)


def patches(config, images):
    """[..., H, W, 3] to [..., N, 3 p^2], patch by patch, row by row."""
    (rows, columns), p = config.grid, config.tok.patch
    x = images.reshape(*images.shape[:-3], rows, p, columns, p, 3)
    x = jnp.swapaxes(x, -4, -3)
    return x.reshape(*images.shape[:-3], rows * columns, 3 * p * p)


def unpatch(config, x):
    """The inverse of `patches`."""
    (rows, columns), p = config.grid, config.tok.patch
    lead = x.shape[:-2]
    x = jnp.swapaxes(x.reshape(*lead, rows, columns, p, p, 3), -4, -3)
    return x.reshape(*lead, rows * p, columns * p, 3)


def sinusoids(grid, width):
    """Position codes [rows * columns, width]: sines and cosines, half of them of each axis."""
    row, column = (axis.reshape(-1, 1) for axis in np.indices(grid))
    count = -(-width // 4)
    speed = np.pi / 2 * 0.01 ** (np.arange(count) / count)
    angles = np.concatenate([row * speed, column * speed], 1)
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)[:, :width].astype(np.float32)


def _embed(values, config, images, drop):
    """Tokens [B, T, N + L, d]: patches, then latents."""
    x = patches(config, pixels(config, images) - 0.5).astype(configs.dtype(config))
    x = nets.linear(nets.cast(values, x.dtype), "tok/enc/patch", x)
    if drop is not None:
        x = jnp.where(drop[..., None], values["tok/enc/hidden"].astype(x.dtype), x)
    x = x + values["tok/enc/position"].astype(x.dtype)
    latent = values["tok/enc/latent"].astype(x.dtype)
    latent = jnp.broadcast_to(latent, (*x.shape[:2], *latent.shape))
    return jnp.concatenate([x, latent], 2)


def _space(config):
    return masks.encoder(config.patches, config.tok.latents)


def _read(values, config, found):
    """z [..., L, D] of the last tokens of `found`, and the taps of all layers."""
    n = config.patches
    h = attention.norm(found[-1][..., n:, :], values["tok/enc/norm/scale"])
    before = nets.linear(values, "tok/enc/out", h.astype(jnp.float32))
    z, taps = jnp.tanh(before), {}
    for index, x in enumerate(found):
        taps |= {f"enc/L{index}/patch": x[..., :n, :], f"enc/L{index}/latent": x[..., n:, :]}
    return z, taps | {"tok/z_pre": before, "tok/z": z}
