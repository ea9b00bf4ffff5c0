"""The recurrent state-space model: a memory, and a discrete guess about the present.

In the shapes, B is batch, T time, D deter, S categoricals of C classes, A action numbers, g blocks.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from dreamer import distributions, nets
from dreamer.v3 import config as configs


class Latent(NamedTuple):
    """Deterministic memory and stochastic guess; together the belief."""

    deter: jax.Array  # [..., D]
    stoch: jax.Array  # [..., S, C] one-hot


def shapes(config, tokens):
    """Parameters of the model, given the width of the encoder's tokens."""
    o = config.dyn
    inputs = {"dynin0": o.deter, "dynin1": o.stoch * o.classes, "dynin2": action_width(config)}
    wide = {"prior0": o.deter, "prior1": o.hidden, "obs0": o.deter + tokens, **inputs}
    found = {}
    for name, width in wide.items():
        found |= nets.linear_shapes(f"dyn/{name}", width, o.hidden)
        found |= nets.norm_shapes(f"dyn/{name}norm", o.hidden)
    for name in ("priorlogit", "obslogit"):
        found |= nets.linear_shapes(f"dyn/{name}", o.hidden, o.stoch * o.classes)
    hidden = o.deter + 3 * o.blocks * o.hidden
    found |= nets.block_shapes("dyn/dynhid0", o.blocks, hidden, o.deter)
    found |= nets.norm_shapes("dyn/dynhid0norm", o.deter)
    return found | nets.block_shapes("dyn/dyngru", o.blocks, o.deter, 3 * o.deter)


def start(config, size):
    """The belief before anything was seen: zeros [size, ...]."""
    o, kind = config.dyn, configs.dtype(config)
    return Latent(jnp.zeros((size, o.deter), kind), jnp.zeros((size, o.stoch, o.classes), kind))


def feature(latent):
    """What heads and policy see: concat[deter, flat stoch] [..., D + S*C]."""
    return jnp.concatenate([latent.deter, flat(latent.stoch)], -1)


def flat(stoch):
    """[..., S, C] -> [..., S*C]."""
    return stoch.reshape(*stoch.shape[:-2], -1)


def action_width(config):
    """Numbers that describe an action: categories, or the length of its vector."""
    return configs.width(config.spaces.action)


def action_vector(config, action):
    """Network input [..., A] of actions: one-hot of indices, or the numbers themselves."""
    space = config.spaces.action
    lead = action.shape[: action.ndim - len(space.shape)]
    if space.classes:
        action = jax.nn.one_hot(action, space.classes)
    return action.reshape(*lead, -1)


def advance(values, config, latent, action):
    """Next memory [B, D] from the latent [B] and the action vector [B, A] taken in it."""
    return _memory(values, config, latent, _action(values, config, action))


def prior(values, config, deter):
    """Raw logits [..., S, C] of the guess from memory alone."""
    hidden = nets.dense(values, "dyn/prior0", deter, config.dyn.act)
    hidden = nets.dense(values, "dyn/prior1", hidden, config.dyn.act)
    return _logits(values, config, "dyn/priorlogit", hidden)


def guess(config, logits, key):
    """One-hot stoch [..., S, C] drawn from raw logits, or the most probable if key is None."""
    log_probs = distributions.mixed(logits, config.dyn.unimix)
    return distributions.straight_through(log_probs, key).astype(configs.dtype(config))


def imagine(values, config, latent, action, key):
    """One step without observation: the Latent after an action vector [B, A]."""
    deter = advance(values, config, latent, action)
    return Latent(deter, guess(config, prior(values, config, deter), key))


def observe(values, config, latent, tokens, action, first, key):
    """Follow observations over time from the latent [B] before them.

    tokens [B, T, E]; action [B, T, A] is the one that led to each observation; first [B, T] marks
    a new episode, which forgets everything before. Returns Latent [B, T] and raw posterior logits.
    """
    moved = _action(values, config, jnp.where(first[..., None], 0, action))
    seen = _seen(values, config, tokens)
    alive = ~first

    def step(latent, inputs):
        moved, seen, alive, key = inputs
        latent = Latent(latent.deter * alive[:, None], latent.stoch * alive[:, None, None])
        deter = _memory(values, config, latent, moved)
        logits = _posterior(values, config, deter, seen)
        latent = Latent(deter, guess(config, logits, key))
        return latent, (latent, logits)

    by_time = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), (moved, seen, alive))
    keys = distributions.split(key, first.shape[1])
    _, outputs = jax.lax.scan(step, latent, (*by_time, keys), unroll=config.dyn.unroll)
    return jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), outputs)


def _action(values, config, action):
    """The action's share [..., hidden] of the input to the memory."""
    size = jnp.maximum(1, jnp.abs(action))
    return nets.dense(values, "dyn/dynin2", action / jax.lax.stop_gradient(size), config.dyn.act)


def _memory(values, config, latent, moved):
    """Block-diagonal GRU; `moved` [B, hidden] comes from `_action`."""
    act, blocks, parts = config.dyn.act, config.dyn.blocks, config.dyn.deter // config.dyn.blocks
    x0 = nets.dense(values, "dyn/dynin0", latent.deter, act)
    x1 = nets.dense(values, "dyn/dynin1", flat(latent.stoch), act)
    memory, kernel = nets.group(latent.deter, blocks), values["dyn/dynhid0/kernel"]
    # Every block sees the same three inputs, so that their share is one ordinary product.
    shared = jnp.swapaxes(kernel[:, parts:], 0, 1).reshape(-1, config.dyn.deter)
    hidden = nets.ungroup(nets.block_dot(memory, kernel[:, :parts]))
    hidden += nets.dot(jnp.concatenate([x0, x1, moved], -1), shared) + values["dyn/dynhid0/bias"]
    hidden = nets.norm_act(values, "dyn/dynhid0norm", hidden, act)
    gates = nets.block_dot(nets.group(hidden, blocks), values["dyn/dyngru/kernel"])
    gates += values["dyn/dyngru/bias"].reshape(blocks, 1, -1)
    reset, cand, update = jnp.split(gates, 3, -1)
    cand = jnp.tanh(jax.nn.sigmoid(reset) * cand)
    update = jax.nn.sigmoid(update - 1)
    return nets.ungroup(update * cand + (1 - update) * memory)


def _seen(values, config, tokens):
    """The tokens' share [..., hidden] of the posterior's first layer, bias included."""
    kernel = values["dyn/obs0/kernel"][config.dyn.deter :]
    return nets.dot(tokens, kernel) + values["dyn/obs0/bias"]


def _posterior(values, config, deter, seen):
    """Raw logits [..., S, C] from memory and `_seen`."""
    kernel = values["dyn/obs0/kernel"][: config.dyn.deter]
    hidden = nets.norm_act(values, "dyn/obs0norm", nets.dot(deter, kernel) + seen, config.dyn.act)
    return _logits(values, config, "dyn/obslogit", hidden)


def _logits(values, config, name, hidden):
    logits = nets.linear(values, name, hidden)
    return logits.reshape(*hidden.shape[:-1], config.dyn.stoch, config.dyn.classes)
