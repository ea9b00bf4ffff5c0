"""Imagination, returns, and which weights the losses of policy and value may move."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import distributions
from dreamer.v3 import behavior, heads, rssm
from tests import toy_agent

CONFIG = toy_agent.config()
VALUES = toy_agent.fresh().params.values
BATCH = {name: jnp.asarray(value) for name, value in toy_agent.batch(rows=4).items()}
B, T, H = 3, 4, 3
KEY = jax.random.key(2)


def latent():
    rng = np.random.default_rng(0)
    deter = jnp.asarray(rng.normal(size=(B, T, 8)), jnp.float32)
    return rssm.Latent(deter, jnp.eye(4)[rng.integers(0, 4, (B, T, 2))])


@jax.jit
def computed(values, start, key):
    return behavior.loss(values, CONFIG, BATCH, start, key)


def test_the_lambda_return_equals_the_sequence_computed_by_hand():
    reward = jnp.array([9.0, 1.0, 2.0, 3.0])
    live = jnp.array([9.0, 0.5, 1.0, 0.9])
    keep = jnp.array([9.0, 0.8, 0.8, 0.5])
    boot = jnp.array([9.0, 10.0, 20.0, 30.0])
    third = 3 + 0.9 * (0.5 * 30 + 0.5 * 30)
    second = 2 + 1.0 * (0.2 * 20 + 0.8 * third)
    first = 1 + 0.5 * (0.2 * 10 + 0.8 * second)
    found = behavior.lambda_return(reward, live, keep, boot)
    np.testing.assert_allclose(found, [first, second, third], rtol=1e-6)


def test_a_return_stops_where_the_future_is_certain_to_end():
    dead = jnp.array([1.0, 1.0, 0.0, 1.0])
    found = behavior.lambda_return(jnp.ones(4), dead, jnp.full(4, 0.95), jnp.full(4, 100.0))
    assert found[1] == 1.0 and found[2] > 100


def test_the_replayed_return_bootstraps_at_an_end_and_stops_at_a_death():
    quiet = {name: jnp.zeros((1, 3)) for name in ("reward", "is_last", "is_terminal")}
    boot, start = jnp.array([5.0, 7.0, 11.0]), jax.tree.map(lambda x: x[:1, :3], latent())
    cut = {name: value > 0 for name, value in quiet.items()} | {"reward": quiet["reward"]}
    ended = cut | {"is_last": jnp.array([[False, True, False]])}
    died = ended | {"is_terminal": jnp.array([[False, True, False]])}
    live = 1 - 1 / CONFIG.imag.horizon
    loss, found = behavior._replay_loss(VALUES, CONFIG, ended, start, boot)
    assert float(found[0, 0]) == pytest.approx(live * 7) and float(loss[0, 1]) == 0
    _, found = behavior._replay_loss(VALUES, CONFIG, died, start, boot)
    assert float(found[0, 0]) == 0
    _, found = behavior._replay_loss(VALUES, CONFIG, cut, start, boot)
    last = live * 11
    assert float(found[0, 0]) == pytest.approx(live * (0.05 * 7 + 0.95 * last), rel=1e-5)


def test_policy_and_value_losses_move_neither_the_belief_nor_the_world_model():
    def total(values, start):
        losses, _, _ = computed(values, start, KEY)
        return losses["policy"].sum() + losses["value"].sum()

    values = {name: value for name, value in VALUES.items() if value.dtype == jnp.float32}
    moved, pulled = jax.grad(lambda v, s: total({**VALUES, **v}, s), (0, 1))(values, latent())
    assert {name.split("/")[0] for name, gradient in moved.items() if np.any(gradient)} == {
        "pol",
        "val",
    }
    assert not np.any(pulled.deter) and not np.any(pulled.stoch)


def test_the_replay_value_moves_the_belief_but_neither_policy_nor_slow_value():
    values = {name: value for name, value in VALUES.items() if value.dtype == jnp.float32}

    def total(values, start):
        return computed({**VALUES, **values}, start, KEY)[0]["repval"].sum()

    moved, pulled = jax.grad(total, (0, 1))(values, latent())
    assert {name.split("/")[0] for name, gradient in moved.items() if np.any(gradient)} == {"val"}
    assert np.any(pulled.deter[:, :-1])


def test_imagining_on_the_policys_own_actions_gives_the_same_states():
    start = jax.tree.map(lambda x: x[:, 0], latent())
    states, actions = behavior.imagine(VALUES, CONFIG, start, None, H, KEY)
    again, forced = behavior.imagine(VALUES, CONFIG, start, actions, H, KEY)
    np.testing.assert_array_equal(actions, forced)
    np.testing.assert_array_equal(states.stoch, again.stoch)
    np.testing.assert_allclose(states.deter, again.deter, rtol=1e-5, atol=1e-6)


def test_the_most_probable_future_takes_the_most_probable_actions():
    start = jax.tree.map(lambda x: x[:, 0], latent())
    states, actions = behavior.imagine(VALUES, CONFIG, start, None, H, None)
    first = heads.policy(VALUES, CONFIG, rssm.feature(start)).logits
    later = heads.policy(VALUES, CONFIG, rssm.feature(states)).logits
    np.testing.assert_array_equal(actions[0], np.argmax(first, -1))
    np.testing.assert_array_equal(actions[1:], np.argmax(later[:-1], -1))


def test_returns_are_scaled_by_the_moving_percentiles_after_this_batch():
    _, dream, norm = computed(VALUES, latent(), KEY)
    low, high = np.percentile(dream["return"], [5, 95])
    assert float(norm["retnorm/lo/value"]) == pytest.approx(0.01 * low, rel=1e-4)
    assert float(norm["retnorm/hi/value"]) == pytest.approx(0.01 * high, rel=1e-4)
    scale = norm["retnorm/hi/value"] - norm["retnorm/lo/value"]
    advantage = (dream["return"] - dream["value"][:-1]) / scale
    np.testing.assert_allclose(dream["advantage"], advantage, rtol=1e-3)


def test_small_returns_are_not_blown_up():
    heads_of_zeros = {f"{name}/head/logits/kernel": jnp.zeros((8, 5)) for name in ("rew", "val")}
    _, dream, norm = computed({**VALUES, **heads_of_zeros}, latent(), KEY)
    assert not np.any(dream["return"]) and dream["scale"] == 1.0
    assert norm["retnorm/hi/value"] == 0.0


def test_the_weight_of_a_step_is_the_probability_of_having_lived_until_it():
    _, dream, _ = computed(VALUES, latent(), KEY)
    alive = np.cumprod(dream["continuation"], 0)
    np.testing.assert_allclose(dream["weight"], alive, rtol=1e-5)
    assert np.all(np.diff(alive, axis=0) < 0) and np.all(alive[0] < 1)


def test_the_value_is_trained_on_the_return_and_on_the_slow_value_alike():
    logits = jnp.zeros(255)
    edges = distributions.bins(255)
    one = distributions.two_hot(jnp.float32(3.0), edges) @ -jax.nn.log_softmax(logits)
    both = behavior._value_loss(logits, jnp.float32(3.0), jnp.float32(-2.0))
    assert float(both) == pytest.approx(2 * float(one), rel=1e-5)


def test_the_entropy_range_spans_what_a_policy_can_have():
    low, high = heads.entropy_range(CONFIG)
    assert (low, high) == (0.0, pytest.approx(np.log(6)))
    felt = toy_agent.config(toy_agent.FELT, enc__keys="speed", dec__keys="speed")
    ends = [distributions.Normal(jnp.zeros(2), jnp.full(2, std)).entropy() for std in (0.1, 1.0)]
    assert heads.entropy_range(felt) == tuple(ends)
