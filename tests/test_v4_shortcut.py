"""Shortcut forcing: the bootstrap target and the sampler."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.v4 import draws, shortcut
from tests import tiny_v4

KEY = jax.random.key(0)

# The bootstrap target for models that are known in closed form.


def labelled(kmax, seed=0, rows=64):
    """Random noised latents [rows, 1, 2, 3] with labels of coarse steps."""
    rng, finest = np.random.default_rng(seed), kmax.bit_length() - 1
    step = rng.integers(0, finest, (rows, 1))
    level = (rng.random((rows, 1)) * 2**step).astype(int) * (kmax // 2**step)
    return rng.normal(size=(rows, 1, 2, 3)), level, step, finest


def taught(model, kmax, seed=0):
    """The target and what `model` predicts itself."""
    z, level, step, finest = labelled(kmax, seed)
    return shortcut.bootstrap(model, z, level, step, kmax, finest), model(z, level, step)


def gaussian(kmax, mean, std):
    """The exact map over a whole step for data N(mean, std^2)."""

    def spread(tau):
        return jnp.sqrt((1 - tau) ** 2 + tau**2 * std**2)

    def model(z, level, step):
        tau = jnp.asarray(level)[..., None, None] / kmax
        d = 2.0 ** -jnp.asarray(step, float)[..., None, None]
        later = (tau + d) * mean + spread(tau + d) / spread(tau) * (z - tau * mean)
        return z + (1 - tau) * (later - z) / d

    return model


def expected(kmax, mean, std):
    """The best prediction of the data, E[z1 | z]."""

    def model(z, level, step):
        tau = jnp.asarray(level)[..., None, None] / kmax
        spread = (1 - tau) ** 2 + tau**2 * std**2
        return mean + tau * std**2 * (z - tau * mean) / spread

    return model


@given(st.sampled_from([2, 4, 8, 64]), st.floats(-3, 3), st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_a_single_point_is_consistent_at_every_label(kmax, point, seed):
    target, own = taught(lambda z, level, step: jnp.full_like(z, point), kmax, seed)
    np.testing.assert_allclose(target, own, atol=1e-5)


@given(st.sampled_from([2, 8, 64]), st.floats(-2, 2), st.floats(0.2, 2), st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_the_exact_map_of_gaussian_data_is_consistent(kmax, mean, std, seed):
    target, own = taught(gaussian(kmax, mean, std), kmax, seed)
    np.testing.assert_allclose(target, own, rtol=1e-3, atol=1e-4)


@given(st.sampled_from([4, 8, 64]), st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_the_target_is_where_the_mean_velocity_of_two_half_steps_leads(kmax, seed):
    model = expected(kmax, 0.3, 0.8)
    z, level, step, finest = labelled(kmax, seed)
    tau, d = level[..., None, None] / kmax, 2.0 ** -step[..., None, None]
    one = (model(z, level, step + 1) - z) / (1 - tau)
    middle = z + one * d / 2
    later = level + kmax // 2 ** (step + 1)
    two = (model(middle, later, step + 1) - middle) / (1 - tau - d / 2)
    velocity = (one + two) / 2
    found = shortcut.bootstrap(model, z, level, step, kmax, finest)
    np.testing.assert_allclose(found, z + (1 - tau) * velocity, rtol=1e-5, atol=1e-5)
    student = np.random.default_rng(seed).normal(size=z.shape)
    in_v = (1 - tau) ** 2 * ((student - z) / (1 - tau) - velocity) ** 2
    np.testing.assert_allclose(np.square(student - found), in_v, rtol=1e-3, atol=1e-4)


def test_the_target_lies_between_the_two_predictions():
    kmax, asked = 16, []

    def model(z, level, step):
        asked.append(np.random.default_rng(len(asked)).normal(size=z.shape))
        return asked[-1]

    z, level, step, finest = labelled(kmax)
    found = shortcut.bootstrap(model, z, level, step, kmax, finest)
    tau, d = level[..., None, None] / kmax, 2.0 ** -step[..., None, None]
    share = (1 - tau) / (2 * (1 - tau) - d)
    assert (share >= 0.5).all() and (share <= 1).all()
    np.testing.assert_allclose(found, (1 - share) * asked[0] + share * asked[1], atol=1e-5)


def test_frames_of_the_finest_step_stay_as_they_are_for_the_others():
    asked = []

    def model(z, level, step):
        asked.append((z, level, step))
        return z * 0

    z, level, step = np.ones((1, 2, 1, 1)), np.array([[4, 4]]), np.array([[3, 1]])
    shortcut.bootstrap(model, z, level, step, 8, 3)
    for seen, at, width in asked:
        assert (float(seen[0, 0, 0, 0]), int(at[0, 0]), int(width[0, 0])) == (1.0, 4, 3)
    assert [int(at[0, 1]) for _, at, _ in asked] == [4, 6]
    assert [int(width[0, 1]) for _, _, width in asked] == [2, 2]


# The sampler.


@pytest.mark.parametrize("rungs", [1, 2, 4])
def test_the_exact_map_gives_the_same_sample_in_any_number_of_steps(rungs):
    noise = np.random.default_rng(0).normal(size=(5, 2, 3))
    found = shortcut.sample(gaussian(8, 0.5, 0.7), noise, rungs, 8)
    np.testing.assert_allclose(found, 0.5 + 0.7 * noise, rtol=1e-4, atol=1e-5)


SPREAD = {
    1.0: {1: 0.0, 2: 0.5, 4: 0.72, 8: 0.8508, 64: 0.9801},
    0.5: {1: 0.0, 2: 0.2, 4: 0.3405, 8: 0.4148, 64: 0.4886},
}


@pytest.mark.parametrize(("std", "rungs"), [(s, k) for s in SPREAD for k in SPREAD[s]])
def test_without_shortcuts_few_steps_lose_spread(std, rungs):
    noise = np.random.default_rng(0).normal(size=(5, 2, 3))
    found = shortcut.sample(expected(64, 0.3, std), noise, rungs, 64)
    np.testing.assert_allclose(found, 0.3 + SPREAD[std][rungs] * noise, atol=2e-4)


def test_the_best_prediction_reaches_the_floor_of_the_flow_loss():
    rng, model = np.random.default_rng(0), expected(8, 0.3, 0.5)
    for level in (0, 2, 4, 7):
        tau = level / 8
        z1 = 0.3 + 0.5 * rng.normal(size=(1, 400_000, 1))
        noised = (1 - tau) * rng.normal(size=z1.shape) + tau * z1
        error = np.square(np.asarray(model(noised, level, 3)) - z1).mean()
        assert error == pytest.approx(float(shortcut.floor(0.25 * jnp.ones(1), tau)), rel=0.02)


@pytest.mark.parametrize(
    ("tau", "least"), [(0, 1.0), (0.25, 0.9), (0.5, 0.5), (0.75, 0.1), (0.875, 0.02)]
)
def test_the_floor_of_standardised_latents(tau, least):
    assert float(shortcut.floor(jnp.ones(3), tau)) == pytest.approx(least)


def test_the_sampler_asks_at_its_own_labels_and_returns_the_last_answer():
    asked = []

    def model(z, level, step):
        asked.append((int(level), int(step)))
        return jnp.full_like(z, len(asked))

    with jax.disable_jit():
        found = shortcut.sample(model, jnp.zeros((1, 1, 1)), 4, 8)
    assert asked == [(0, 2), (2, 2), (4, 2), (6, 2)]
    np.testing.assert_array_equal(found, [[[4.0]]])


def test_past_frames_are_at_their_level():
    config = tiny_v4.config(dyn__kmax=8, dyn__context_level=0.875)
    assert (config.context, config.finest) == (7, 3)
    z = np.full((2000, 4, 16), 3.0)
    found = np.asarray(shortcut.noise_context(config, z, draws.rows(KEY, 2000)))
    assert found.mean() == pytest.approx(0.875 * 3, abs=0.01)
    assert found.std() == pytest.approx(0.125, rel=0.02)
