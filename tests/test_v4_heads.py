"""Heads, returns and PMPO of DreamerV4 against numbers computed by hand and by brute force."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import distributions
from dreamer.v4 import heads, pmpo, returns
from tests import toy_v4

STEPS, OFFSETS, WIDTH = 4, 3, 32


compiled = jax.jit(returns.lambda_returns)


def lambda_returns(reward, go_on, value, discount, lam):
    arrays = (np.asarray(x, np.float32)[None] for x in (reward, go_on, value))
    return np.asarray(compiled(*arrays, discount, lam))[0]


def mixture(reward, go_on, value, discount, lam):
    """The λ-weighted mean of all n-step returns, written out."""
    steps, found = len(reward), []
    for t in range(steps):
        several = []
        for n in range(1, steps - t + 1):
            total, factor = 0.0, 1.0
            for k in range(n):
                total += factor * reward[t + k]
                factor *= discount * go_on[t + k]
            several.append(total + factor * value[t + n])
        shares = [(1 - lam) * lam**n for n in range(len(several) - 1)] + [lam ** (steps - t - 1)]
        found.append(sum(a * b for a, b in zip(shares, several, strict=True)))
    return found


def test_returns_have_the_values_computed_by_hand():
    reward, value = [1, 0, 2], [0.5, 1, 1.5, 2]
    found = lambda_returns(reward, [1, 1, 1], value, 0.9, 0.5)
    assert found == pytest.approx([2.52325, 2.385, 3.8], rel=1e-6)
    found = lambda_returns(reward, [1, 0, 1], value, 0.9, 0.5)
    assert found == pytest.approx([1.45, 0, 3.8], rel=1e-6)


numbers = st.lists(st.floats(-2, 2), min_size=13, max_size=13)


@settings(max_examples=20, deadline=None)
@given(numbers, st.lists(st.floats(0, 1), min_size=6, max_size=6), st.floats(0, 1))
def test_returns_are_the_mixture_of_all_n_step_returns(drawn, go_on, lam):
    reward, value = drawn[:6], drawn[6:]
    wanted = mixture(reward, go_on, value, 0.95, lam)
    assert lambda_returns(reward, go_on, value, 0.95, lam) == pytest.approx(wanted, abs=1e-4)


def test_lambda_zero_looks_one_step_ahead_and_one_sums_all_rewards():
    reward, value, on = [1.0, 2, 3], [9.0, 5, 6, 7], [1, 1, 1]
    assert lambda_returns(reward, on, value, 0.5, 0) == pytest.approx([3.5, 5, 6.5])
    assert lambda_returns(reward, on, value, 0.5, 1) == pytest.approx([3.625, 5.25, 6.5])


def test_states_weigh_as_much_as_they_are_reached():
    found = returns.weights(jnp.array([[0.5, 0.5, 0.1]]))
    assert np.allclose(found, [[1, 0.5, 0.25]])


def objective(log_prob, advantage, divergence=0.0, alpha=0.5, beta=0.3):
    log_prob, advantage = jnp.asarray(log_prob), jnp.asarray(advantage)
    ones = jnp.ones_like(log_prob)
    return pmpo.loss(pmpo.sums(log_prob, advantage, divergence * ones, ones), alpha, beta)


def test_pmpo_and_its_gradient_have_the_values_computed_by_hand():
    log_prob, advantage = jnp.array([-1.0, -2, -3]), jnp.array([0.4, -1, -2])
    value, slope = jax.value_and_grad(objective)(log_prob, advantage)
    assert value == pytest.approx(-0.75)
    assert slope.tolist() == pytest.approx([-0.5, 0.25, 0.25])
    assert jax.grad(objective)(log_prob, 5 * advantage).tolist() == slope.tolist()


@pytest.mark.parametrize("advantage, wanted", [([1.0, 0, 0], 1.0), ([-1.0, -1, -1], -1.0)])
def test_pmpo_without_good_or_without_bad_actions_is_finite_and_ties_are_good(advantage, wanted):
    assert objective([-2.0, -2, -2], advantage) == pytest.approx(wanted)


def test_the_divergence_is_of_the_policy_from_the_prior_not_the_reverse():
    even, sure = (
        distributions.Categorical(jnp.log(jnp.array(p))) for p in ([0.5, 0.5], [0.9, 0.1])
    )
    assert heads.divergence(even, sure) == pytest.approx(0.5108, abs=1e-4)
    assert heads.divergence(sure, even) == pytest.approx(0.3681, abs=1e-4)
    one, other = (distributions.Normal(jnp.array([m]), jnp.array([s])) for m, s in ((0, 1), (1, 2)))
    assert heads.divergence(one, other) == pytest.approx(np.log(2) + 2 / 8 - 0.5)


@pytest.mark.parametrize(
    "target, bins, weights",
    [(1.0, (131, 132), (0.61733, 0.38267)), (0.1, (127, 128), (0.41369, 0.58631)),
     (-0.1, (126, 127), (0.58631, 0.41369))],
)  # fmt: skip
def test_two_hot_targets_have_the_published_bins_and_weights(target, bins, weights):
    edges = distributions.bins(255)
    found = np.asarray(distributions.two_hot(jnp.array(target), edges))
    assert np.flatnonzero(found).tolist() == list(bins)
    assert found[list(bins)] == pytest.approx(weights, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.floats(-1e6, 1e6, width=32))
def test_two_hot_targets_keep_the_number(value):
    edges = distributions.bins(255)
    found = np.asarray(distributions.two_hot(jnp.array(value, jnp.float32), edges), np.float64)
    assert found.sum() == pytest.approx(1, abs=1e-5) and (found > 0).sum() <= 2
    assert (found * edges).sum() == pytest.approx(value, rel=1e-4, abs=1e-4)


def test_two_hot_targets_beyond_the_bins_are_the_outermost_and_zero_logits_mean_zero():
    edges = distributions.bins(255)
    assert distributions.two_hot(jnp.array(1e12), edges)[-1] == 1
    assert distributions.two_hot_mean(jnp.zeros(255)) == 0


def targets(rows=STEPS + OFFSETS - 1, batch=2):
    rng = np.random.default_rng(3)
    known = np.ones((batch, rows), bool)
    return {
        "action": jnp.asarray(rng.integers(0, 5, (batch, rows))),
        "reward": jnp.asarray(rng.normal(size=(batch, rows)), jnp.float32),
        "go_on": jnp.asarray(rng.integers(0, 2, (batch, rows)), jnp.float32),
        **{name: jnp.asarray(known) for name in ("action_known", "reward_known", "go_on_known")},
    }


H = jnp.asarray(np.random.default_rng(2).normal(size=(2, STEPS, WIDTH)), jnp.float32)


def test_offset_n_at_row_t_is_the_datum_of_row_t_plus_n():
    params, data = toy_v4.params(), targets()
    found = heads.losses(params.values, params.config, H, data)["policy"][0]
    logits = np.asarray(heads.policies(params.values, params.config, H).logits)
    logits = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    wanted = [
        -sum(
            logits[b, t, n, data["action"][b, t + n]] for t in range(STEPS) for n in range(OFFSETS)
        )
        for b in range(2)
    ]
    assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["action", "reward", "go_on"])
def test_what_does_not_count_changes_nothing_and_the_weight_counts_the_rest(name):
    params, data = toy_v4.params(), targets()
    known = np.ones((2, STEPS + OFFSETS - 1), bool)
    known[0, 3:] = False  # an episode that ends: 3 + 2 + 1 pairs of the first rows remain
    data[f"{name}_known"] = jnp.asarray(known)
    term = {"action": "policy", "reward": "reward", "go_on": "continue"}[name]
    total, weight = heads.losses(params.values, params.config, H, data)[term]
    assert weight.tolist() == [6, STEPS * OFFSETS]
    data[name] = data[name].at[0, 3:].set(4 if name == "action" else np.nan)
    again, _ = heads.losses(params.values, params.config, H, data)[term]
    assert again.tolist() == total.tolist()


def test_continuous_actions_have_a_normal_policy_within_its_limits():
    params = toy_v4.params(toy_v4.CONTINUOUS)
    found = heads.policy(params.values, params.config, H)
    assert found.mean.shape == (2, STEPS, 2)
    assert (np.abs(found.mean) <= 1).all() and (found.std >= 0.1).all() and (found.std <= 1).all()
    data = targets() | {"action": jnp.zeros((2, STEPS + OFFSETS - 1, 2))}
    assert np.isfinite(heads.losses(params.values, params.config, H, data)["policy"][0]).all()


def test_fresh_heads_choose_evenly_and_expect_nothing():
    params = toy_v4.fresh()
    policy = heads.policy(params.values, params.config, H)
    assert np.allclose(policy.mean, 1 / toy_v4.ACTIONS)
    assert not distributions.two_hot_mean(heads.value(params.values, params.config, H)).any()
    assert not distributions.two_hot_mean(heads.rewards(params.values, params.config, H)).any()
