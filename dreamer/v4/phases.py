"""What the four trainings of DreamerV4 have in common, and what each of them has to say.

A phase trains some parameters of the agent and leaves all others alone. Its losses are sums over
rows of a batch ([total, weight] where they are means), so that a batch may be split in any way.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from dreamer.v4 import mesh


def _nothing(*_):
    return {}


def _same(values, *_):
    return values


class Phase(NamedTuple):
    """One training; `number` sets its random draws apart, `block` names its options."""

    name: str
    number: int
    command: str  # the module of its command
    block: str
    after: str | None  # the phase whose checkpoint it starts from
    brings: tuple  # blocks of options that this checkpoint fixes
    trained: tuple  # beginnings of parameters' names
    windows: Callable  # (episodes.Lengths, config): refuse data that are too short
    batch: Callable  # (windows, config, rng, part) -> rows {name: [b, ...]} of a batch's slice
    sums: Callable  # (values, config, count, rows) -> {name: sum}
    terms: Callable  # (config, sums, count) -> losses to normalise, other losses, metrics
    weights: Callable  # (config) -> {normalised loss: weight}
    prepare: Callable | None = None  # (values, config, rows) -> rows, without gradient
    factors: Callable = _nothing  # (config) -> {beginning of a name: factor of the rate}
    holds: Callable = _nothing  # (config) -> {beginning of a name: updates before it may change}
    begin: Callable = _same  # (values) -> values, before the first update
    finish: Callable = _same  # (values, config, episodes, folder) -> values, after the last one
    watch: Callable = _nothing  # (values, config, rows) -> more {metric: float} of held-out rows


def pair(value, weight):
    """[total, weight] of a mean over rows that were `weight` of something."""
    weight = jnp.asarray(weight, jnp.float32)
    return jnp.stack([value * weight, weight])


def told(sums):
    """{dyn/name: mean or NaN} of the pairs that `model.loss` gives beside the loss."""
    return {f"dyn/{name}": mesh.known(pair) for name, pair in sums.items() if name != "loss"}


def means(sums, names):
    """{name: mean} of those sums that are pairs."""
    return {name: mesh.mean(sums[name]) for name in names}
