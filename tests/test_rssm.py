"""The belief: what it remembers, what it forgets, and what it is trained towards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v3 import rssm, world
from tests import toy_agent

CONFIG = toy_agent.config()
VALUES = toy_agent.fresh().params.values
KEY = jax.random.key(1)
RNG = np.random.default_rng(0)
B, T, TOKENS = 3, 4, 8


def latent(seed):
    rng = np.random.default_rng(seed)
    deter = jnp.asarray(rng.normal(size=(B, 8)), jnp.float32)
    return rssm.Latent(deter, jnp.eye(4)[rng.integers(0, 4, (B, 2))])


def observe(start, tokens, action, first, key=None):
    return rssm.observe(VALUES, CONFIG, start, tokens, action, first, key)


def sequence():
    tokens = jnp.asarray(RNG.normal(size=(B, T, TOKENS)), jnp.float32)
    action = rssm.action_vector(CONFIG, jnp.asarray(RNG.integers(0, 6, (B, T))))
    return tokens, action


def test_a_new_episode_forgets_the_old_one():
    tokens, action = sequence()
    first = jnp.zeros((B, T), bool).at[:, 2].set(True)
    other = sequence()[1].at[:, 3:].set(action[:, 3:])
    ours, _ = observe(latent(0), tokens, action, first)
    theirs, _ = observe(latent(1), tokens.at[:, :2].set(9.0), other, first)
    for a, b in zip(ours, theirs, strict=True):
        assert np.any(a[:, :2] != b[:, :2])
        np.testing.assert_array_equal(a[:, 2:], b[:, 2:])


def test_without_a_new_episode_the_past_matters():
    tokens, action = sequence()
    first = jnp.zeros((B, T), bool)
    ends = [observe(latent(seed), tokens, action, first)[0].deter[:, -1] for seed in (0, 1)]
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


def test_the_action_before_an_episode_is_none_at_all_rather_than_the_first_one():
    tokens, _ = sequence()
    first = jnp.ones((B, T), bool)
    noop = rssm.action_vector(CONFIG, jnp.zeros((B, T), int))
    nothing = jnp.zeros_like(noop)
    forgotten, _ = observe(latent(0), tokens, noop, first)
    start = rssm.Latent(*(x * 0 for x in latent(0)))
    for action, same in ((nothing, True), (noop, False)):
        stepped, _ = observe(start, tokens[:, :1], action[:, :1], first[:, :1] & False)
        assert np.array_equal(stepped.deter[:, 0], forgotten.deter[:, 0]) == same


def test_many_steps_at_once_equal_one_at_a_time():
    tokens, action = sequence()
    first = jnp.asarray(RNG.random((B, T)) < 0.3)
    together, logits = observe(latent(0), tokens, action, first)
    now = latent(0)
    for t in range(T):
        moment = slice(t, t + 1)
        found, raw = observe(now, tokens[:, moment], action[:, moment], first[:, moment])
        now = jax.tree.map(lambda x: x[:, 0], found)
        np.testing.assert_allclose(now.deter, together.deter[:, t], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(now.stoch, together.stoch[:, t])
        np.testing.assert_allclose(raw[:, 0], logits[:, t], rtol=1e-4, atol=1e-5)


def test_large_action_numbers_are_brought_to_one_and_small_ones_kept():
    config = toy_agent.config(toy_agent.FELT, enc__keys="speed", dec__keys="speed")
    values = toy_agent.fresh(toy_agent.FELT, enc__keys="speed", dec__keys="speed").params.values
    move = [rssm.advance(values, config, latent(0), jnp.full((B, 2), size)) for size in (0.5, 1, 7)]
    np.testing.assert_array_equal(move[1], move[2])
    assert np.abs(move[0] - move[1]).max() > 1e-4


def test_imagining_takes_the_prior_where_observing_takes_the_posterior():
    start, action = latent(0), jnp.zeros((B, 6)).at[:, 2].set(1)
    imagined = rssm.imagine(VALUES, CONFIG, start, action, None)
    prior = rssm.prior(VALUES, CONFIG, imagined.deter)
    np.testing.assert_array_equal(np.argmax(imagined.stoch, -1), np.argmax(prior, -1))
    seen, post = observe(start, sequence()[0][:, :1], action[:, None], jnp.zeros((B, 1), bool))
    np.testing.assert_array_equal(np.argmax(seen.stoch, -1), np.argmax(post, -1))
    np.testing.assert_allclose(seen.deter[:, 0], imagined.deter, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("apart, free", [(0.1, True), (6.0, False)])
def test_a_kl_below_the_free_nats_costs_one_and_gives_no_gradient(apart, free):
    post = jnp.zeros((B, T, 2, 4)).at[..., 0].set(apart)
    prior = jnp.zeros((B, T, 2, 4))

    def total(post, prior):
        losses, _ = world._beliefs(CONFIG, post, prior)
        return losses["dyn"].sum() + losses["rep"].sum()

    gradients = jax.grad(total, (0, 1))(post, prior)
    losses, found = world._beliefs(CONFIG, post, prior)
    assert (np.abs(gradients[0]).max() == 0) == free and (np.abs(gradients[1]).max() == 0) == free
    assert np.all(losses["dyn"] == 1) if free else np.all(losses["dyn"] > 1)
    assert bool(np.all(found["kl"] < 1)) == free


@pytest.mark.parametrize("name, trained", [("dyn", "prior"), ("rep", "post")])
def test_each_half_of_the_kl_trains_one_side_only(name, trained):
    post, prior = (jnp.asarray(RNG.normal(size=(B, T, 2, 4)) * 4, jnp.float32) for _ in range(2))
    cost = jax.grad(lambda post, prior: world._beliefs(CONFIG, post, prior)[0][name].sum(), (0, 1))
    gradients = dict(zip(("post", "prior"), cost(post, prior), strict=True))
    assert {side for side, gradient in gradients.items() if np.any(gradient)} == {trained}
