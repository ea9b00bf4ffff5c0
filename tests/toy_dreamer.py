"""An agent family that knows the toy world by heart: its belief is the true position.

So the right content of every recorded and every dreamt row is known exactly.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.family import Layer
from tests import toy_world

WIDE = 40
FREE, MOVES = jnp.array(toy_world.free()), jnp.array(toy_world.MOVES)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Params:
    values: dict


class State(NamedTuple):
    params: Params


def init(options, spaces, key):
    return State(Params({"enc/kernel": jnp.arange(WIDE, dtype=jnp.float32)}))


def layers(options, spaces):
    tiles = int(np.prod(toy_world.AREA))
    return [
        Layer("enc/wide", WIDE),
        Layer("dyn/deter", 4, belief=True, dtype="float32"),
        Layer("dyn/stoch", tiles, belief=True),
        Layer("pol/clock", 1),
    ]


def start(params, batch_size, belief=None):
    empty = {
        "dyn/deter": jnp.zeros((batch_size, 4)),
        "dyn/stoch": _tile(jnp.zeros((batch_size, 2))),
    }
    return {"belief": belief or empty, "clock": jnp.zeros(batch_size)}


def act(params, carry, observation, key, sample, taken=None):
    clock = jnp.where(observation["is_first"], 0, carry["clock"] + 1)
    pixel = observation["image"][:, 0, 0].astype(jnp.float32)
    keys = key if key.ndim else jax.random.split(key, len(pixel))
    noise = jax.vmap(jax.random.uniform)(keys)
    belief = _belief(pixel[:, :2], pixel[:, 2], noise)
    drawn = jax.vmap(lambda one: jax.random.randint(one, (), 0, len(MOVES)))(keys)
    action = drawn if sample else 1 + clock.astype(jnp.int32) % 4
    activations = {
        **belief,
        "enc/wide": params.values["enc/kernel"] + pixel[:, :1],
        "pol/clock": clock[:, None],
    }
    return {"belief": belief, "clock": clock}, action, activations


def imagine(params, carry, actions, horizon, key, sample):
    deter = carry["belief"]["dyn/deter"]
    if actions is None:
        actions = jax.random.randint(key, (len(deter), horizon), 0, len(MOVES))

    def step(state, action):
        position, facing = state
        goal = position + MOVES[action]
        position = jnp.where(FREE[goal[:, 0], goal[:, 1]][:, None], goal, position)
        state = position, jnp.where(action > 0, action - 1, facing)
        return state, state

    first = deter[:, :2].astype(jnp.int32), deter[:, 2].astype(jnp.int32)
    _, (position, facing) = jax.lax.scan(step, first, actions.T)
    position, facing = position.swapaxes(0, 1), facing.T
    images = jnp.zeros((*facing.shape, 64, 64, 3), jnp.uint8)
    images = images.at[:, :, 0, 0, :2].set(position.astype(jnp.uint8))
    images = images.at[:, :, 0, 0, 2].set(facing.astype(jnp.uint8))
    belief = _belief(position, facing, jnp.zeros(facing.shape))
    return actions, belief, {"image": images}


def _belief(position, facing, noise):
    deter = [position[..., 0], position[..., 1], facing, noise]
    deter = jnp.stack([item.astype(jnp.float32) for item in deter], -1)
    return {"dyn/deter": deter, "dyn/stoch": _tile(position)}


def _tile(position):
    index = position[..., 0] * toy_world.AREA[1] + position[..., 1]
    return jax.nn.one_hot(index.astype(jnp.int32), int(np.prod(toy_world.AREA)))
