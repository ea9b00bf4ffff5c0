"""The optimiser takes the steps of LaProp with per-tensor clipping, in the order of its formula."""

import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import optimizer
from tests import toy_agent

RNG = np.random.default_rng(0)


def options(**changes):
    settings = {f"opt__{name}": value for name, value in changes.items()}
    return toy_agent.config(**{"opt__lr": 0.1, "opt__warmup": 0, **settings}).opt


def run(settings, weights, gradients):
    """Weights after one step per gradient."""
    transform = optimizer.build(settings)
    weights = {name: jnp.asarray(value, jnp.float32) for name, value in weights.items()}
    state = transform.init(weights)
    for gradient in gradients:
        gradient = {name: jnp.asarray(value, jnp.float32) for name, value in gradient.items()}
        steps, state = transform.update(gradient, state, weights)
        weights = {name: weights[name] + steps[name] for name in weights}
    return weights


def by_hand(weight, gradients, lr, agc, pmin, beta1, beta2, decay=0.0):
    """The same in plain NumPy, written from the formulas."""
    second = momentum = np.zeros_like(weight)
    for step, gradient in enumerate(gradients, 1):
        limit = agc * max(pmin, np.linalg.norm(weight))
        gradient = gradient * min(1, limit / np.linalg.norm(gradient))
        second = beta2 * second + (1 - beta2) * gradient**2
        scaled = gradient / (np.sqrt(second / (1 - beta2**step)) + 1e-20)
        momentum = beta1 * momentum + (1 - beta1) * scaled
        weight = weight - lr * (momentum / (1 - beta1**step) + decay * weight)
    return weight


def test_four_steps_equal_the_formulas():
    weight = RNG.normal(size=(4, 3))
    gradients = RNG.normal(size=(4, 4, 3)) * np.array([5, 0.1, 1, 0.01])[:, None, None]
    found = run(options(), {"a/kernel": weight}, [{"a/kernel": g} for g in gradients])
    wanted = by_hand(weight, gradients, 0.1, 0.3, 1e-3, 0.9, 0.999)
    np.testing.assert_allclose(found["a/kernel"], wanted, rtol=1e-4, atol=1e-6)


def test_decay_pulls_on_kernels_only_and_before_the_learning_rate():
    weight, gradients = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 4, 3))
    weights = {"a/kernel": weight, "a/bias": weight}
    found = run(options(wd=0.5), weights, [dict.fromkeys(weights, g) for g in gradients])
    settings = (0.1, 0.3, 1e-3, 0.9, 0.999)
    decayed, free = (
        by_hand(weight, gradients, *settings, 0.5),
        by_hand(weight, gradients, *settings),
    )
    np.testing.assert_allclose(found["a/kernel"], decayed, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found["a/bias"], free, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_a_tensors_gradient_is_limited_by_its_weights_norm_but_never_below_the_least(size):
    weight, gradient = np.full((2, 8), size), RNG.normal(size=(2, 8))
    clip = optimizer.clip(0.3, 1e-3)
    found, _ = clip.update({"w": jnp.asarray(gradient)}, clip.init({}), {"w": jnp.asarray(weight)})
    limit = 0.3 * max(1e-3, np.linalg.norm(weight))
    assert np.linalg.norm(found["w"]) == pytest.approx(min(limit, np.linalg.norm(gradient)))
    np.testing.assert_allclose(np.corrcoef(np.ravel(found["w"]), np.ravel(gradient))[0, 1], 1)


def test_small_and_zero_gradients_pass_the_clip_unchanged():
    clip, weight = optimizer.clip(0.3, 1e-3), {"w": jnp.ones(4)}
    for gradient in (jnp.full(4, 0.01), jnp.zeros(4)):
        found, _ = clip.update({"w": gradient}, clip.init({}), weight)
        np.testing.assert_array_equal(found["w"], gradient)


def test_the_rate_grows_from_zero_so_that_the_first_update_changes_nothing():
    settings = options(lr=0.4, warmup=4)
    rates = [float(optimizer.learning_rate(settings, jnp.int32(n))) for n in range(7)]
    np.testing.assert_allclose(rates, [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4], rtol=1e-6)
    weight = {"a/kernel": RNG.normal(size=(2, 2))}
    found = run(settings, weight, [{"a/kernel": np.ones((2, 2))}])
    np.testing.assert_array_equal(found["a/kernel"], weight["a/kernel"].astype(np.float32))
    assert float(optimizer.learning_rate(options(lr=0.4), jnp.int32(0))) == pytest.approx(0.4)
