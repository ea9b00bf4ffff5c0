"""Distributions against their definitions, SciPy, and counts of draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dreamer import distributions as d

KEY = jax.random.key(0)
EDGES = d.bins(255)


def logits(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("count", [2, 5, 40, 41, 255])
def test_the_mean_of_equal_probabilities_is_exactly_zero(count):
    assert float(d.two_hot_mean(jnp.full((count,), 0.37))) == 0.0


@pytest.mark.parametrize("count", [2, 5, 40, 255])
def test_bins_are_symmetric_and_grow_as_symexp(count):
    edges = d.bins(count)
    np.testing.assert_array_equal(edges, -edges[::-1])
    np.testing.assert_allclose(edges, d.symexp(jnp.linspace(-20, 20, count)), rtol=1e-4, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.floats(-4e8, 4e8, width=32))
def test_two_neighbouring_bins_share_a_target_so_that_their_mean_is_the_target(x):
    weights = np.asarray(d.two_hot(jnp.float32(x), EDGES), np.float64)
    used = np.flatnonzero(weights > 1e-6)
    assert len(used) <= 2 and np.ptp(used) <= 1
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert weights @ EDGES == pytest.approx(x, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("x, bin", [(1e12, -1), (-1e12, 0), (0.0, 127)])
def test_targets_on_a_bin_or_beyond_the_last_go_wholly_to_it(x, bin):
    assert d.two_hot(jnp.float32(x), EDGES)[bin] == 1


def test_symlog_and_symexp_undo_each_other():
    x = np.array([-1e6, -3.0, -0.1, 0.0, 0.2, 5.0, 1e5], np.float32)
    np.testing.assert_allclose(d.symexp(d.symlog(x)), x, rtol=1e-4)


def test_a_draw_is_one_hot_and_its_gradient_that_of_the_mixed_probabilities():
    raw, weight = logits(4, 3, 5), logits(4, 3, 5, seed=1)
    log_probs = d.mixed(raw, 0.01)
    one_hot = np.asarray(d.straight_through(log_probs, KEY))
    np.testing.assert_array_equal(np.sort(one_hot, -1)[..., :-1], 0)
    np.testing.assert_array_equal(one_hot.max(-1), 1)

    def drawn(raw):
        return (d.straight_through(d.mixed(raw, 0.01), KEY) * weight).sum()

    def mixed(raw):
        return ((0.99 * jax.nn.softmax(raw) + 0.01 / 5) * weight).sum()

    np.testing.assert_allclose(jax.grad(drawn)(raw), jax.grad(mixed)(raw), rtol=1e-5, atol=1e-7)


def test_no_key_means_the_most_probable_value():
    raw = logits(6, 5)
    best = np.argmax(raw, -1)
    np.testing.assert_array_equal(np.argmax(d.straight_through(d.mixed(raw, 0.01), None), -1), best)
    np.testing.assert_array_equal(d.Categorical(raw).draw(None), best)
    normal = d.Normal(raw, jnp.ones_like(raw))
    np.testing.assert_array_equal(normal.draw(None), raw)


def test_draws_follow_the_probabilities():
    probs = jnp.array([0.5, 0.0, 0.2, 0.3])
    draws = d.inverse_cdf(jnp.broadcast_to(probs, (20000, 4)), KEY)
    np.testing.assert_allclose(np.bincount(draws, minlength=4) / 20000, probs, atol=0.015)
    normal = d.Normal(jnp.full((20000, 1), 2.0), jnp.full((20000, 1), 0.5)).draw(KEY)
    assert stats.kstest(np.ravel(normal), "norm", (2.0, 0.5)).pvalue > 0.01


@pytest.mark.parametrize("kind", ["categorical", "normal", "one-hot"])
def test_with_a_key_per_row_a_draw_does_not_depend_on_its_place(kind):
    raw, keys, order = logits(6, 5), jax.random.split(KEY, 6), np.array([3, 1, 5, 0, 4, 2])
    draw = {
        "categorical": lambda x, key: d.Categorical(x).draw(key),
        "normal": lambda x, key: d.Normal(x, jnp.ones_like(x)).draw(key),
        "one-hot": lambda x, key: d.straight_through(d.mixed(x, 0.01), key),
    }[kind]
    np.testing.assert_array_equal(draw(raw, keys)[order], draw(raw[order], keys[order]))


def test_keys_split_alike_alone_and_per_row():
    keys = jax.random.split(KEY, 3)
    assert d.split(keys, 4).shape == (4, 3) and d.split(KEY, 4).shape == (4,)
    first = jax.random.key_data(d.split(keys, 4)[:, 0])
    np.testing.assert_array_equal(first, jax.random.key_data(d.split(keys[0], 4)))
    assert d.split(None, 4) is None and d.pair(None) == (None, None)


def test_log_probabilities_and_entropies_equal_scipys():
    mean, std, value = logits(3, 2), jnp.exp(logits(3, 2, seed=1)), logits(3, 2, seed=2)
    normal, theirs = d.Normal(mean, std), stats.norm(mean, std)
    np.testing.assert_allclose(normal.log_prob(value), theirs.logpdf(value).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(normal.entropy(), theirs.entropy().sum(-1), rtol=1e-5)
    raw, action = logits(3, 4), jnp.array([0, 3, 1])
    probs = np.asarray(jax.nn.softmax(raw))
    categorical = d.Categorical(raw)
    np.testing.assert_allclose(categorical.entropy(), stats.entropy(probs, axis=-1), rtol=1e-5)
    chosen = np.log(probs[np.arange(3), action])
    np.testing.assert_allclose(categorical.log_prob(action), chosen, rtol=1e-5)


def test_kl_and_entropy_are_summed_over_the_categoricals():
    p, q = d.mixed(logits(2, 3, 4), 0.01), d.mixed(logits(2, 3, 4, seed=1), 0.01)
    wanted = stats.entropy(np.exp(p), np.exp(q), axis=-1).sum(-1)
    np.testing.assert_allclose(d.kl(p, q), wanted, rtol=1e-4)
    np.testing.assert_allclose(d.entropy(p), stats.entropy(np.exp(p), axis=-1).sum(-1), rtol=1e-5)
    np.testing.assert_array_equal(d.kl(p, p), 0)
