"""What an update tells the samplers: by-products of it that change nothing."""

import functools

import jax
import numpy as np
import pytest

from dreamer import distributions, options, samplers
from dreamer.v3 import agent
from tests import toy_agent

KEY, TRAIN = jax.random.key(0), jax.jit(agent.train)


@functools.cache
def learned(sampler):
    """State, metrics and write-back of an update on one batch with the options of a sampler."""
    state = toy_agent.fresh(replay__sampler=sampler)
    return jax.device_get(TRAIN(state, toy_agent.batch(), KEY))


@pytest.mark.parametrize("sampler", sorted(samplers.KINDS))
def test_the_update_on_a_given_batch_is_the_same_under_every_sampler(sampler):
    for one, two in zip(*map(jax.tree.leaves, (learned("uniform"), learned(sampler))), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_loss_is_the_sum_of_the_published_parts_and_no_signal():
    _, metrics, _ = learned("uncertainty")
    scales = options.resolve()["loss"]
    total = sum(scale * metrics[f"loss/{name}"] for name, scale in scales.items())
    assert metrics["loss/total"] == pytest.approx(total, rel=1e-5)


def test_the_signals_are_the_losses_of_single_steps():
    _, metrics, back = learned("uniform")
    signal = back["signal"]
    assert {name: value.shape for name, value in signal.items()} == {
        name: (3, 4) for name in ("kl", "beliefs", "model")
    }
    free = options.resolve()["dyn"]["free_nats"]
    np.testing.assert_allclose(signal["beliefs"], 2 * np.maximum(free, signal["kl"]), rtol=1e-5)
    scales = options.resolve()["loss"]
    names = ("rec", "rew", "con", "dyn", "rep")
    model = sum(scales[name] * metrics[f"loss/{name}"] for name in names)
    assert signal["model"].mean() == pytest.approx(model, rel=1e-5)
    assert (signal["kl"] >= -1e-6).all()


def test_the_surprise_without_learning_is_the_kl_that_an_update_finds():
    _, _, back = learned("uniform")
    look, _ = distributions.pair(KEY)
    state = toy_agent.fresh(replay__sampler="uniform")
    kl = jax.jit(agent.surprise)(state.params, toy_agent.batch(), look)
    np.testing.assert_allclose(kl, back["signal"]["kl"], rtol=1e-4, atol=1e-6)
