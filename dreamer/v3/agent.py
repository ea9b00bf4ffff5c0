"""DreamerV3 as an agent family (dreamer/family.py says what its functions take and give).

In the shapes, B is batch, L stored steps (the first one is context), H imagined steps.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from dreamer import distributions, family
from dreamer.v3 import behavior, decoder, encoder, heads, rssm, update, world
from dreamer.v3 import config as configs


class Carry(NamedTuple):
    """What acting remembers: the belief and the last action's vector [B, A]."""

    latent: rssm.Latent
    action: jax.Array


def init(options, spaces, key):
    """A fresh State for the whole option tree and the Spaces."""
    return update.fresh(configs.freeze(options, spaces), _typed(key))


def train(state, batch, key):
    """One update. Row 0 of `batch` {name: [B, L, ...]} only gives the starting belief.

    Returns State, metrics, and the fresh belief and signals [B, L-1] of the trained rows.
    """
    rows, latent, action = _parts(state.params.config, batch)
    state, metrics, found = update.apply(state, rows, latent, action, _typed(key))
    belief = jax.tree.map(lambda x: x.astype(jnp.float32), _belief(found["latent"]))
    return state, metrics, {**belief, "signal": _signals(state.params.config, found)}


def surprise(params, batch, key):
    """KL [B, L-1] of the rows after the first one, in nats, as `train` finds it; learns nothing."""
    rows, latent, action = _parts(params.config, batch)
    return world.surprise(params.computed, params.config, rows, latent, action, _typed(key))


def start(params, batch_size, belief=None):
    """Carry of agents that have seen nothing, or that hold a belief {layer: [B, units]}."""
    config = params.config
    latent = rssm.start(config, batch_size) if belief is None else _latent(config, belief)
    return Carry(latent, jnp.zeros((batch_size, rssm.action_width(config))))


def act(params, carry, observation, key, sample, taken=None):
    """See one observation {name: [B, ...]} and choose an action [B]; `key` may be one per row.

    `taken` [B] are actions that were taken in place of the chosen ones.
    Returns Carry, action and the activations {layer: [B, units]} of `layers`.
    """
    config, values = params.config, params.computed
    look, choose = distributions.pair(_typed(key) if sample else None)
    found = encoder.encode(values, config, observation)
    moment = found["enc/tokens"], carry.action, observation["is_first"]
    seen, _ = rssm.observe(values, config, carry.latent, *(x[:, None] for x in moment), look)
    latent = jax.tree.map(lambda x: x[:, 0], seen)
    found |= _belief(latent)
    for name in ("pol", "val"):
        hidden = heads.trunk(values, config, name, rssm.feature(latent))
        found |= {f"{name}/mlp/linear{index}": layer for index, layer in enumerate(hidden)}
    last = found[f"pol/mlp/linear{config.pol.layers - 1}"]
    action = heads.policy_of(values, config, last).draw(choose)
    taken = action if taken is None else taken
    return Carry(latent, rssm.action_vector(config, taken)), action, found


def value(params, activations):
    """The return [B] expected from here on, from what `act` told of its layers."""
    config, values = params.config, params.computed
    hidden = activations[f"val/mlp/linear{config.val.layers - 1}"]
    return distributions.two_hot_mean(heads.value_of(values, hidden))


def imagine(params, carry, actions, horizon, key, sample):
    """Follow the policy, or `actions` [B, H], for `horizon` steps without looking.

    Returns actions [B, H], the belief layers [B, H, units] after each, and what they look like.
    """
    config, values = params.config, params.computed
    forced = None if actions is None else jnp.swapaxes(actions, 0, 1)
    key = _typed(key) if sample else None
    found = behavior.imagine(values, config, carry.latent, forced, horizon, key)
    latent, actions = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), found)
    decoded = decoder.decode(values, config, latent)
    images = configs.images(configs.seen(config, "dec"))
    return actions, _belief(latent), {name: decoder.pixels(decoded[name]) for name, _ in images}


def layers(options, spaces):
    """Every layer that `act` returns, in the order of the forward pass."""
    config = configs.freeze(options, spaces)
    seen = [family.Layer(name, width) for name, width in encoder.layers(config).items()]
    belief = [
        family.Layer("dyn/deter", config.dyn.deter, belief=True, dtype="float32"),
        family.Layer("dyn/stoch", config.dyn.stoch * config.dyn.classes, belief=True),
    ]
    trunks = [
        family.Layer(f"{name}/mlp/linear{index}", block.units)
        for name, block in (("pol", config.pol), ("val", config.val))
        for index in range(block.layers)
    ]
    return [*seen, *belief, *trunks]


def _parts(config, batch):
    """Rows {name: [B, L-1, ...]} after the first one, its Latent, and the actions before them."""
    latent = _latent(config, batch)
    action = rssm.action_vector(config, batch["action"])[:, :-1]
    rows = {name: value[:, 1:] for name, value in batch.items() if name not in _belief(latent)}
    return rows, latent, action


def _signals(config, found):
    """What samplers may ask for, per row: see dreamer/family.py."""
    losses, scales = found["losses"], update.scales(config)
    names = (*world.targets(config), "rew", "con", "dyn", "rep")
    model = sum(scales[name] * losses[name] for name in names)
    return {"kl": found["model"]["kl"], "beliefs": losses["dyn"] + losses["rep"], "model": model}


def _belief(latent):
    """{layer: [..., units]} of a Latent."""
    return {"dyn/deter": latent.deter, "dyn/stoch": rssm.flat(latent.stoch)}


def _latent(config, belief):
    """The inverse of `_belief`, in the compute type."""
    kind = configs.dtype(config)
    shape = (config.dyn.stoch, config.dyn.classes)
    stoch = belief["dyn/stoch"].reshape(*belief["dyn/stoch"].shape[:-1], *shape)
    return rssm.Latent(belief["dyn/deter"].astype(kind), stoch.astype(kind))


def _typed(key):
    """Keys of either style as typed keys, which carry one axis per key and none for their bits."""
    typed = key is None or jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return key if typed else jax.random.wrap_key_data(key)
