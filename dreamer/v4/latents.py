"""Between the tokenizer's latents and the spatial tokens of the dynamics."""

import jax.numpy as jnp

from dreamer import nets

LEAST = 1e-4  # standard deviation of a latent, also where all of them are dead


def shapes(config):
    """{name: Leaf} of the scale, which changes nothing until `statistics` are taken."""
    shape = config.tok.latents, config.tok.channels
    return {"scale/mean": nets.Leaf(shape), "scale/std": nets.Leaf(shape, fill=1.0)}


def statistics(z):
    """{scale/mean, scale/std: [L, D]} of z [N, L, D]; std at least a tenth of its median.

    A channel that hardly moves would else be noise amplified many times.
    """
    std = z.std(0)
    least = jnp.maximum(0.1 * jnp.median(std), LEAST)
    return {"scale/mean": z.mean(0), "scale/std": jnp.maximum(std, least)}


def pack(values, config, z):
    """Spatial tokens [..., S, D'] from z [..., L, D]: standardised, neighbours joined."""
    if config.dyn.standardise:
        z = (z - values["scale/mean"]) / values["scale/std"]
    return z.reshape(*z.shape[:-2], config.slots.spatial, config.packed)


def unpack(values, config, z):
    """The inverse of `pack`."""
    z = z.reshape(*z.shape[:-2], config.tok.latents, config.tok.channels)
    if config.dyn.standardise:
        z = z * values["scale/std"] + values["scale/mean"]
    return z


def clamp(values, config, z):
    """Spatial tokens cut to what the tokenizer can say: latents from -1 to 1."""
    return pack(values, config, jnp.clip(unpack(values, config, z), -1, 1))
