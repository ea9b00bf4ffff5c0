"""From observations to tokens: convolutions for images, an MLP for everything else."""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import conv, distributions, nets
from dreamer.v3 import config as configs


def shapes(config):
    """Parameters of the parts that the observation needs."""
    o, items = config.enc, configs.seen(config, "enc")
    found, channels = {}, sum(space.shape[-1] for _, space in configs.images(items))
    for index, mult in enumerate(o.mults if channels else ()):
        found |= nets.conv_shapes(f"enc/cnn{index}", channels, o.depth * mult)
        found |= nets.norm_shapes(f"enc/cnn{index}norm", o.depth * mult)
        channels = o.depth * mult
    inputs = sum(configs.width(space) for _, space in configs.vectors(items))
    for index in range(o.layers if inputs else 0):
        found |= nets.linear_shapes(f"enc/mlp{index}", inputs if index == 0 else o.units, o.units)
        found |= nets.norm_shapes(f"enc/mlp{index}norm", o.units)
    return found


def layers(config):
    """{layer: width} of what `encode` returns, the tokens last."""
    o, items = config.enc, configs.seen(config, "enc")
    found, tokens = {}, o.units if configs.vectors(items) else 0
    for _, space in configs.images(items)[:1]:
        sides = [
            [size // 2**stage for size in space.shape[:2]] for stage in range(len(o.mults) + 1)
        ]
        widths = [h * w * o.depth * m for (h, w), m in zip(sides[1:], o.mults, strict=True)]
        found = {f"enc/cnn{index}": width for index, width in enumerate(widths[:-1])}
        tokens += widths[-1]
    return {**found, "enc/tokens": tokens}


def encode(values, config, observation):
    """Activations {layer: [..., W]} of `layers` from {name: [..., *shape]}."""
    items = configs.seen(config, "enc")
    found, tokens = {}, []
    if configs.vectors(items):
        tokens.append(_vectors(values, config, observation, configs.vectors(items)))
    if configs.images(items):
        *stages, last = _images(values, config, observation, configs.images(items))
        found = {f"enc/cnn{index}": stage for index, stage in enumerate(stages)}
        tokens.append(last)
    return {**found, "enc/tokens": jnp.concatenate(tokens, -1)}


def numbers(space, value):
    """A vector observation [..., *shape] as network input [..., W]: symlog, or one-hot."""
    if space.classes:
        value = jax.nn.one_hot(value, space.classes)
    else:
        value = distributions.symlog(value.astype(jnp.float32))
    rank = len(space.shape) + bool(space.classes)
    return value.reshape(*value.shape[: value.ndim - rank], configs.width(space))


def _vectors(values, config, observation, items):
    x = jnp.concatenate([numbers(space, observation[name]) for name, space in items], -1)
    for index in range(config.enc.layers):
        x = nets.dense(values, f"enc/mlp{index}", x, config.enc.act)
    return x


def _images(values, config, observation, items):
    pixels = jnp.concatenate([observation[name] for name, _ in items], -1)
    lead = pixels.shape[:-3]
    x = (pixels.reshape(-1, *pixels.shape[-3:]) / np.float32(255) - 0.5).astype(
        configs.dtype(config)
    )
    outputs = []
    for index in range(len(config.enc.mults)):
        name = f"enc/cnn{index}"
        x = conv.conv_pool(x, values[f"{name}/kernel"], values[f"{name}/bias"])
        x = nets.norm_act(values, f"{name}norm", x, config.enc.act)
        outputs.append(x.reshape(*lead, -1))
    return outputs
