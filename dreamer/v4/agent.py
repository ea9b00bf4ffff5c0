"""DreamerV4 as an agent family (dreamer/family.py says what its functions take and give).

It learns from data in four phases (dreamer/v4/train_*.py); its checkpoints act from any of them on.
Acting commits each frame, noised to the level of past frames, to a cache of everything seen so far
within reach. The belief cannot hold such a cache: it holds the last `imag.context` frames as they
were committed, and `start` commits them anew, exactly as imagination training starts.
In the shapes, B is batch, C those frames, H imagined steps, S spatial tokens of D channels.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from dreamer import distributions, family, nets
from dreamer.v4 import belief as beliefs
from dreamer.v4 import cache as caches
from dreamer.v4 import config as configs
from dreamer.v4 import draws, dynamics, heads, imagination, latents, shortcut, taps, tokenizer
from jobs.errors import Refused

OFFLINE = True  # learns from a data set, not from steps in an environment
HEADS = ("head/policy", "head/value")


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["config"])
@dataclass(frozen=True)
class Params:
    """The published parameters {name: array} and, as static data, what they belong to."""

    values: dict
    config: configs.Config


class State(NamedTuple):
    """All that a checkpoint holds."""

    params: Params


class Carry(NamedTuple):
    """What acting remembers; `last` is the action since the newest frame."""

    memory: Any  # of the tokenizer
    cache: Any
    frames: imagination.Frame  # [B, C, ...]
    h: jax.Array  # [B, d]
    z: jax.Array  # [B, S, D] of the newest frame, not noised
    last: jax.Array  # [B] or [B, A]
    acted: jax.Array  # [B], whether `last` is known


def shapes(config):
    """{name: Leaf} of all parameters."""
    parts = (tokenizer, latents, dynamics, heads)
    return {name: leaf for part in parts for name, leaf in part.shapes(config).items()}


def init(options, spaces, key):
    """A fresh State for the whole option tree and the Spaces."""
    config = configs.freeze(options, spaces)
    return State(Params(nets.init(shapes(config), _typed(key)), config))


def train(*_):
    """Refused: the agent learns from data, not step by step."""
    raise Refused(
        "agent v4 learns from a data set: write one with python -m dreamer.dataset, then run "
        "python -m dreamer.v4.train_tokenizer, train_dynamics, train_agent and train_imagination"
    )


def start(params, batch_size, belief=None):
    """Carry of agents that have seen nothing, or that hold a belief {layer: [B, units]}.

    Imagination goes on from a belief; what was seen before its C frames is gone.
    """
    config, shape = params.config, (params.config.slots.spatial, params.config.packed)
    told = belief is not None
    if not told:
        widths = beliefs.widths(config)
        belief = {name: jnp.zeros((batch_size, width)) for name, width in widths.items()}
    belief = {name: belief[name].astype(jnp.float32) for name in beliefs.LAYERS}
    frames = beliefs.unflat(config, belief["dyn/memory"])
    cache = caches.start(config, batch_size)
    if told:
        cache, _ = imagination.recall(params.values, config, frames)
    memory = tokenizer.start_memory(config, batch_size)
    z, last = belief["dyn/z"].reshape(-1, *shape), jnp.zeros_like(frames.action[:, 0])
    acted = jnp.zeros(batch_size, bool)
    return Carry(memory, cache, frames, belief["agent/h"], z, last, acted)


def act(params, carry, observation, key, sample, taken=None):
    """See one observation {name: [B, ...]} and choose an action [B]; `key` may be one per row.

    `taken` [B] are actions that were taken in place of the chosen ones. The key also draws the
    noise of the frame. Returns Carry, action and the activations {layer: [B, units]} of `layers`.
    """
    config, values, first = params.config, params.values, observation["is_first"]
    noise, blank, choose = draws.split(draws.rows(_typed(key), len(first)), 3)
    memory, raw, seen = tokenizer.encode_step(
        values, config, carry.memory, _image(config, observation), first, taps=True
    )
    z, known = latents.pack(values, config, raw), carry.acted & ~first
    noised = shortcut.noise_context(config, z, noise)
    frame = imagination.Frame(noised, carry.last, known, jnp.ones_like(first))
    predicted = taps.predicted(values, config, carry.cache, frame, first, blank)
    cache, h, felt = imagination.commit(values, config, carry.cache, frame, first, taps=True)
    trunks = {name: heads.trunk(values, config, name, h) for name in HEADS}
    policies = heads.policies_of(values, config, trunks["head/policy"][-1])
    action = jax.tree.map(lambda x: x[:, 0], policies).draw(choose if sample else None)
    frames = beliefs.push(carry.frames, frame, first)
    last = action if taken is None else taken.astype(action.dtype)
    carry = Carry(memory, cache, frames, h, z, last, jnp.ones_like(first))
    spoken = {
        f"{name}/linear{index}": x
        for name, layers in trunks.items()
        for index, x in enumerate(layers)
    }
    belief = {"agent/h": h, "dyn/z": z.reshape(len(z), -1)}
    belief["dyn/memory"] = beliefs.flat(config, frames)
    return carry, action, taps.recorded(seen | felt) | predicted | belief | spoken


def value(params, activations):
    """The return [B] expected from here on, from what `act` told of its layers."""
    logits = heads.value(params.values, params.config, activations["agent/h"])
    return distributions.two_hot_mean(logits)


def imagine(params, carry, actions, horizon, key, sample):
    """Follow the policy, or `actions` [B, H], for `horizon` steps without looking.

    Returns actions [B, H], the belief layers [B, H, units] after each, and what they look like.
    Without `sample` the policy takes its most probable action; frames are drawn all the same.
    """
    config, values = params.config, params.values
    keys = draws.rows(_typed(key), len(carry.h))
    found, _ = imagination.rollout(
        values, config, carry.cache, carry.h, keys, horizon, actions, sample
    )
    z = jnp.concatenate([carry.z[:, None], found["z"]], 1)
    seen = tokenizer.decode(values, config, latents.unpack(values, config, z))[:, 1:]
    windows = beliefs.windows(config, carry.frames, found["frames"])
    z = found["z"].reshape(*found["z"].shape[:2], -1)
    belief = {"agent/h": found["h"][:, 1:], "dyn/z": z, "dyn/memory": windows}
    return found["action"], belief, {"image": tokenizer.display(config, seen)}


def layers(options, spaces):
    """Every layer that `act` returns and the option `taps` keeps, in the order of the pass."""
    found = _widths(configs.freeze(options, spaces))
    return [
        family.Layer(name, width, name in beliefs.LAYERS, beliefs.LAYERS.get(name, "float16"))
        for name, width in found
        if name in beliefs.LAYERS or re.search(options["taps"], name)
    ]


@lru_cache
def _widths(config):
    """((layer, width), ...) of everything that `act` returns."""

    def once(key):
        params = Params(nets.init(shapes(config), key), config)
        seen = {"image": jnp.zeros((1, *config.observed), jnp.uint8), "is_first": jnp.ones(1, bool)}
        return act(params, start(params, 1), seen, key, True)[2]

    found = jax.eval_shape(once, jax.random.key(0))
    return tuple((name, found[name].shape[1]) for name in sorted(found, key=taps.order))


def _image(config, observation):
    """The image among the observations."""
    return next(x for x in observation.values() if x.shape[1:] == config.observed)


def _typed(key):
    """Keys of either style as typed keys, which carry one axis per key and none for their bits."""
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return key if typed else jax.random.wrap_key_data(key)
