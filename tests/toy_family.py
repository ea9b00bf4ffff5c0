"""The smallest agent family: a belief of two units that follows the image's mean brightness.

It learns a linear guess of the brightness, acts at random around it, and dreams grey images. Its
belief is exact (units: brightness in [0, 1], steps since reset / 100), so alignment can be tested.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from dreamer.family import Layer


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["classes"])
class Params:
    def __init__(self, values, classes):
        self.values, self.classes = values, classes


class State(NamedTuple):
    params: Params
    count: jax.Array


class Carry(NamedTuple):
    belief: jax.Array  # [B, 2]
    action: jax.Array  # [B] the one before


def init(options, spaces, key):
    width = options["dyn"]["hidden"]
    kernel = 0.1 * jax.random.normal(key, (2, width))
    values = {"toy/kernel": kernel, "toy/readout/kernel": jnp.zeros((width,))}
    return State(Params(values, spaces.action.classes), jnp.zeros((), jnp.int32))


def layers(options, spaces):
    return [Layer("toy/bright", 1), Layer("toy/belief", 2, belief=True, dtype="float32")]


def start(params, batch_size, belief=None):
    belief = jnp.zeros((batch_size, 2)) if belief is None else belief["toy/belief"]
    return Carry(jnp.asarray(belief, jnp.float32), jnp.zeros(batch_size, jnp.int32))


def act(params, carry, observation, key, sample, taken=None):
    bright = observation["image"].astype(jnp.float32).mean((1, 2, 3)) / 255
    age = jnp.where(observation["is_first"], 0, carry.belief[:, 1] + 0.01)
    belief = jnp.stack([bright, age], -1)
    keys = key if key.ndim else jax.random.split(key, len(bright))
    draws = jax.vmap(lambda one: jax.random.randint(one, (), 0, params.classes))(keys)
    action = draws if sample else (bright * params.classes).astype(jnp.int32) % params.classes
    return Carry(belief, action), action, {"toy/bright": bright[:, None], "toy/belief": belief}


def train(state, batch, key):
    image = batch["image"][:, 1:].astype(jnp.float32).mean((2, 3, 4)) / 255

    def loss(values):
        guess = batch["toy/belief"] @ values["toy/kernel"] @ values["toy/readout/kernel"]
        return ((guess[:, None] - image) ** 2).mean()

    cost, grads = jax.value_and_grad(loss)(state.params.values)
    values = jax.tree.map(lambda value, grad: value - 0.1 * grad, state.params.values, grads)
    belief = jnp.stack([image, batch["toy/belief"][:, 1:] + jnp.zeros_like(image)], -1)
    signal = dict.fromkeys(("kl", "beliefs", "model"), (image - image.mean()) ** 2)
    metrics = {"loss/total": cost, "loss/rec": cost}
    state = State(Params(values, state.params.classes), state.count + 1)
    return state, metrics, {"toy/belief": belief, "signal": signal}


def surprise(params, batch, key):
    image = batch["image"][:, 1:].astype(jnp.float32).mean((2, 3, 4)) / 255
    return (image - batch["toy/belief"][:, None, 0]) ** 2


def imagine(params, carry, actions, horizon, key, sample):
    batch = len(carry.action)
    if actions is None:
        actions = jnp.zeros((batch, horizon), jnp.int32)
    ages = carry.belief[:, 1:] + 0.01 * jnp.arange(1, horizon + 1)
    bright = jnp.repeat(carry.belief[:, :1], horizon, 1)
    grey = (255 * bright).astype(jnp.uint8)[..., None, None, None]
    images = {"image": jnp.broadcast_to(grey, (batch, horizon, 64, 64, 3))}
    return actions, {"toy/belief": jnp.stack([bright, ages], -1)}, images
