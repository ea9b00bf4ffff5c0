"""One training update: losses, gradients, optimiser, then the slow value."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from dreamer import distributions, nets, optimizer
from dreamer.v3 import behavior, metrics, world
from dreamer.v3 import config as configs

FIXED = ("slowval", "slowval_count", "retnorm")  # published, but changed by no gradient


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["config"])
@dataclass(frozen=True)
class Params:
    """The published parameters {name: array} and, as static data, what they belong to."""

    values: dict
    config: configs.Config

    @property
    def computed(self):
        """The values in the compute type."""
        return nets.cast(self.values, configs.dtype(self.config))


@partial(jax.tree_util.register_dataclass, data_fields=["params", "opt", "updates"], meta_fields=[])
@dataclass(frozen=True)
class State:
    """Everything that an update changes."""

    params: Params
    opt: Any
    updates: jax.Array


def fresh(config, key):
    """Untrained State; the slow value starts as a copy of the value."""
    values = nets.init(world.shapes(config), key)
    values |= {name: jnp.copy(values[name.removeprefix("slow")]) for name in values if _slow(name)}
    values |= {f"retnorm/{name}/value": jnp.zeros(()) for name in ("lo", "hi")}
    values["slowval_count/value"] = jnp.zeros((), jnp.int32)
    return of(values, config)


def of(values, config):
    """State with these values, a fresh optimiser and no update yet."""
    opt = optimizer.build(config.opt).init(trained(values))
    return State(Params(values, config), opt, jnp.zeros((), jnp.int32))


def trained(values):
    """Those of `values` that gradients change."""
    return {name: value for name, value in values.items() if name.split("/")[0] not in FIXED}


def apply(state, batch, latent, action, key):
    """One update on the rows of `batch` {name: [B, T, ...]}.

    latent [B] is the belief before row 0, action [B, T, A] what led to each row; no key means the
    most probable values instead of draws. Returns State, metrics and everything computed.
    """
    config, values = state.params.config, state.params.values
    free = trained(values)
    fixed = {name: value for name, value in values.items() if name not in free}
    gradient = jax.value_and_grad(loss, has_aux=True)
    (total, aux), gradients = gradient(free, fixed, config, batch, latent, action, key)
    steps, opt = optimizer.build(config.opt).update(gradients, state.opt, free)
    values = {**values, **{name: free[name] + steps[name] for name in free}, **aux["retnorm"]}
    values |= _follow(config, values)
    found = metrics.summary(config, aux["losses"], aux["model"], aux["dream"])
    found |= metrics.training(config, state.updates, gradients) | {"loss/total": total}
    state = State(Params(values, config), opt, state.updates + 1)
    return state, found, {**aux, "gradients": gradients}


def loss(free, fixed, config, batch, latent, action, key):
    """Total loss, and {losses, latent, model, dream, retnorm} with everything computed."""
    values = nets.cast({**free, **fixed}, configs.dtype(config))
    see, sleep = distributions.pair(key)
    losses, latent, model = world.loss(values, config, batch, latent, action, see)
    more, dream, norm = behavior.loss(values, config, batch, latent, sleep)
    losses |= more
    weight = scales(config)
    total = sum(weight[name] * value.mean() for name, value in losses.items())
    aux = {"losses": losses, "latent": latent, "model": model, "dream": dream, "retnorm": norm}
    return total, aux


def scales(config):
    """{loss: its scale in the total}."""
    return config.loss._asdict() | dict.fromkeys(world.targets(config), config.loss.rec)


def _follow(config, values):
    """The slow value after moving a little towards the new value.

    The order of the sum decides its rounding, which is visible where the values hardly differ.
    """
    rate = config.slowval.rate
    return {
        name: rate * values[name.removeprefix("slow")] + (1 - rate) * values[name]
        for name in values
        if _slow(name)
    } | {"slowval_count/value": values["slowval_count/value"] + 1}


def _slow(name):
    return name.startswith("slowval/")
