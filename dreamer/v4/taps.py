"""Which activations of DreamerV4 are layers, under which names and in which order.

In the shapes, B is batch.
"""

import re

import jax.numpy as jnp

from dreamer.v4 import cache as caches
from dreamer.v4 import draws

WANTED = r"enc/L\d+/latent|tok/z|dyn/L\d+/(action|spatial|register|agent)"
PARTS = ("enc/", "tok/", "dyn/z", "pred/L", "pred/", "dyn/L", "agent/", "dyn/memory", "head/")


def order(name):
    """Encoder, latents, prediction, dynamics, heads; layer by layer."""
    place = next(index for index, part in enumerate(PARTS) if name.startswith(part))
    return place, [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", name)]


def predicted(values, config, cache, frame, first, keys):
    """What is expected of a frame before it is seen: taps of the sampler's first rung."""
    noise = draws.normal(keys, frame.z.shape[1:])
    level = jnp.zeros(len(keys), jnp.int32)
    step = jnp.full(len(keys), config.dyn.rungs.bit_length() - 1, jnp.int32)
    _, h, _, taps = caches.step(
        values, config, cache, noise, level, step, frame.action, frame.known, first,
        commit=False, taps=True,
    )  # fmt: skip
    agent = {name: tap for name, tap in taps.items() if name.endswith("/agent")}
    return {f"pred/{name.removeprefix('dyn/')}": _flat(tap) for name, tap in agent.items()} | {
        "pred/h": h
    }


def recorded(taps):
    """{layer: [B, units]} of the taps that are recorded: all slots, of spatial ones their mean."""
    kinds = {"spatial": lambda x: x.mean(1)}
    found = {name: tap for name, tap in taps.items() if re.fullmatch(WANTED, name)}
    return {name: kinds.get(name.split("/")[-1], _flat)(tap) for name, tap in found.items()}


def _flat(x):
    return x.reshape(len(x), -1)
