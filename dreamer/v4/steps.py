"""One update of any phase: sums over the whole batch, normalised losses, one optimiser step.

In the shapes, B is the batch.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from dreamer.v4 import mesh, optimizer, rms


class State(NamedTuple):
    """What an update changes: trained values {name: array}, optimiser, loss statistics, counter."""

    values: dict
    opt: Any
    rms: Any
    count: jax.Array


def split(phase, values):
    """(parameters that the phase trains, those that it leaves alone)."""
    mine = {name: value for name, value in values.items() if name.startswith(phase.trained)}
    return mine, {name: value for name, value in values.items() if name not in mine}


def fresh(phase, config, mine):
    """The State with which a phase begins to train the parameters `mine`."""
    decay = config.tok.rms if phase.block == "tok" else config.dyn.rms
    statistics = rms.start(list(phase.weights(config)), decay)
    opt = _transformation(phase, config).init(mine)
    return State(mine, opt, statistics, jnp.zeros((), jnp.int32))


def update(phase, config, parts, state, fixed, rows, key):
    """State after one update on rows {name: [B, ...]}, and metrics {name: scalar}.

    fixed are the parameters that this phase leaves alone; the batch is computed in `parts`.
    """
    rows = _prepared(phase, config, parts, fixed | state.values, rows, key)

    def loss(trained):
        found = _sums(phase, config, parts, fixed | trained, rows, state.count)
        terms, plain, metrics = phase.terms(config, found, state.count)
        scaled, statistics = rms.normalise(state.rms, terms)
        weights = phase.weights(config)
        total = sum(weights[name] * value for name, value in scaled.items()) + sum(plain.values())
        told = _named("loss", terms | plain | {"total": total}) | _named("scaled", scaled)
        return total, (statistics, told | metrics)

    (_, (statistics, metrics)), gradient = jax.value_and_grad(loss, has_aux=True)(state.values)
    changes, opt = _transformation(phase, config).update(gradient, state.opt, state.values)
    values = _held(phase, config, state, optax.apply_updates(state.values, changes))
    metrics["opt/grad_norm"] = optax.tree.norm(gradient)
    metrics["opt/lr"] = optimizer.learning_rate(getattr(config, phase.block), state.count)
    return State(values, opt, statistics, state.count + 1), metrics


def test(phase, config, parts, state, fixed, rows, key):
    """{test/name: scalar}: the raw losses and metrics of `update`, without learning anything."""
    values = fixed | state.values
    rows = _prepared(phase, config, parts, values, rows, key)
    found = _sums(phase, config, parts, values, rows, state.count)
    terms, plain, metrics = phase.terms(config, found, state.count)
    return _named("test", _named("loss", terms | plain) | metrics)


def _held(phase, config, state, values):
    """`values`, but as before where it is too early: weight decay needs no gradient to move."""
    for start, updates in phase.holds(config).items():
        for name in (name for name in values if name.startswith(start)):
            early = state.count < updates
            values = values | {name: jnp.where(early, state.values[name], values[name])}
    return values


def _transformation(phase, config):
    return optimizer.build(getattr(config, phase.block), phase.factors(config))


def _prepared(phase, config, parts, values, rows, key):
    """The rows with a key each, and with what the phase computes of them without gradient."""
    rows = rows | {"key": jax.random.split(key, len(jax.tree.leaves(rows)[0]))}
    if phase.prepare is None:
        return rows
    return jax.lax.stop_gradient(mesh.mapped(partial(phase.prepare, values, config), rows, parts))


def _sums(phase, config, parts, values, rows, count):
    return mesh.summed(partial(phase.sums, values, config, count), rows, parts)


def _named(prefix, values):
    return {f"{prefix}/{name}": value for name, value in values.items()}
