"""From the belief back to observations, and how far off they are."""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import conv, distributions, nets
from dreamer.v3 import config as configs
from dreamer.v3 import encoder, rssm
from jobs.errors import Refused

GROUPS = 8  # blocks of the projection from the memory, whatever dyn.blocks is


def shapes(config):
    """Parameters of the parts that the targets need."""
    items = configs.seen(config, "dec")
    found = _image_shapes(config, configs.images(items)) if configs.images(items) else {}
    if configs.vectors(items):
        found |= nets.mlp_shapes("dec/mlp", _width(config), config.dec.layers, config.dec.units)
    for name, space in configs.vectors(items):
        head = _head(name, space)
        found |= nets.linear_shapes(head, config.dec.units, configs.width(space))
    return found


def decode(values, config, latent):
    """{name: [..., *]}: images in 0..1, symlog numbers, or logits, from a Latent [...]."""
    items = configs.seen(config, "dec")
    found = _images(values, config, latent, configs.images(items)) if configs.images(items) else {}
    if configs.vectors(items):
        x = jnp.concatenate([rssm.flat(latent.stoch), latent.deter], -1)
        x = nets.mlp(values, "dec/mlp", x, config.dec.layers, config.dec.act)[-1]
        for name, space in configs.vectors(items):
            found[name] = nets.linear(values, _head(name, space), x).astype(jnp.float32)
    return found


def losses(config, decoded, observation):
    """{name: [...]} squared error of images and symlog numbers, cross-entropy of categories."""
    found = {}
    for name, space in configs.seen(config, "dec"):
        if name in dict(configs.images(configs.seen(config, "dec"))):
            error = decoded[name] - observation[name] / np.float32(255)
            found[name] = jnp.square(error).sum((-3, -2, -1))
        elif space.classes:
            found[name] = _categories(space, decoded[name], observation[name])
        else:
            error = decoded[name] - encoder.numbers(space, observation[name])
            found[name] = jnp.square(error).sum(-1)
    return found


def _categories(space, logits, value):
    """Cross-entropy [...], summed over the categories of a shape."""
    target = jax.nn.one_hot(value, space.classes)
    logits = distributions.only(logits.reshape(target.shape), configs.possible(space))
    found = distributions.cross_entropy(logits, target)
    return found.sum(tuple(range(-len(space.shape), 0))) if space.shape else found


def pixels(image):
    """uint8 of an image in 0..1."""
    return jnp.round(image * 255).astype(jnp.uint8)


def _image_shapes(config, items):
    o, (height, width, channels) = config.dec, _minimal(config, items)
    if channels % GROUPS:
        raise Refused(f"dec.depth is {o.depth}, but the last stage needs a multiple of {GROUPS}")
    area = height * width * channels
    found = nets.block_shapes("dec/sp0", GROUPS, config.dyn.deter, area)
    found |= nets.linear_shapes("dec/sp1", config.dyn.stoch * config.dyn.classes, 2 * o.units)
    found |= nets.norm_shapes("dec/sp1norm", 2 * o.units)
    found |= nets.linear_shapes("dec/sp2", 2 * o.units, area) | nets.norm_shapes(
        "dec/spnorm", channels
    )
    for index in reversed(range(len(o.mults) - 1)):
        found |= nets.conv_shapes(f"dec/conv{index}", channels, o.depth * o.mults[index])
        channels = o.depth * o.mults[index]
        found |= nets.norm_shapes(f"dec/conv{index}norm", channels)
    return found | nets.conv_shapes("dec/imgout", channels, _channels(items))


def _images(values, config, latent, items):
    act, lead = config.dec.act, latent.deter.shape[:-1]
    height, width, channels = _minimal(config, items)
    x0 = nets.block_linear(values, "dec/sp0", latent.deter)
    x0 = x0.reshape(-1, GROUPS, height, width, channels // GROUPS)
    x0 = jnp.moveaxis(x0, 1, 3).reshape(-1, height, width, channels)
    x1 = nets.dense(values, "dec/sp1", rssm.flat(latent.stoch), act)
    x1 = nets.linear(values, "dec/sp2", x1).reshape(x0.shape)
    x = nets.norm_act(values, "dec/spnorm", x0 + x1, act)
    for index in reversed(range(len(config.dec.mults) - 1)):
        name = f"dec/conv{index}"
        x = conv.upsample_conv(x, values[f"{name}/kernel"], values[f"{name}/bias"])
        x = nets.norm_act(values, f"{name}norm", x, act)
    x = conv.upsample_conv(x, values["dec/imgout/kernel"], values["dec/imgout/bias"])
    x = jax.nn.sigmoid(x.astype(jnp.float32)).reshape(*lead, *x.shape[1:])
    ends = np.cumsum([space.shape[-1] for _, space in items])[:-1]
    return dict(zip((name for name, _ in items), jnp.split(x, ends, -1), strict=True))


def _minimal(config, items):
    """Height, width and channels of the smallest image."""
    side = 2 ** len(config.dec.mults)
    height, width, _ = items[0][1].shape
    return height // side, width // side, config.dec.depth * config.dec.mults[-1]


def _channels(items):
    return sum(space.shape[-1] for _, space in items)


def _width(config):
    return config.dyn.deter + config.dyn.stoch * config.dyn.classes


def _head(name, space):
    return f"dec/vec/{name}/{'logits' if space.classes else 'pred'}"
