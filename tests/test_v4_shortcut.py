"""Shortcut forcing: the law of the labels, the bootstrap target, the sampler and the loss."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.v4 import draws, dynamics, shortcut
from tests import tiny_v4

KEY = jax.random.key(0)
FRAMES = 400_000

# kmax, p_flow: P(finest step), P(tau = 0), E tau, E ramp, P(tau = 1/2), P(3/4), P(7/8), P(last)
PAPER = {
    (8, 0.0): (0.2500, 0.4688, 0.2656, 0.3391, 0.2188, 0.0938, 0.0312, 0.0312),
    (16, 0.0): (0.2000, 0.3875, 0.3063, 0.3756, 0.1875, 0.0875, 0.0375, 0.0125),
    (64, 0.0): (0.1429, 0.2835, 0.3583, 0.4224, 0.1406, 0.0692, 0.0335, 0.0022),
}
# kmax, p_flow: P(tau = 0), P(7/8), E tau, E ramp
TILTED = {
    (8, 0.6): (0.3083, 0.0750, 0.3458, 0.4113),
    (8, 0.75): (0.2396, 0.0938, 0.3802, 0.4422),
    (16, 0.6): (0.2250, 0.0500, 0.3875, 0.4487),
    (64, 0.6): (0.1406, 0.0240, 0.4297, 0.4867),
}


def drawn(kmax, p_flow):
    """Signal levels and step indices of many frames, and the Config."""
    config = tiny_v4.config(dyn__kmax=kmax, dyn__p_flow=p_flow, dyn__context_level=0.5)
    level, step = shortcut.labels(config, draws.rows(KEY, 4), FRAMES // 4)
    return np.asarray(level).ravel() / kmax, np.asarray(step).ravel(), config


@pytest.mark.parametrize("law", PAPER, ids=str)
def test_labels_follow_the_papers_law(law):
    tau, step, config = drawn(*law)
    likely = [(tau == at).mean() for at in (0, 0.5, 0.75, 0.875, 1 - 1 / config.dyn.kmax)]
    found = [(step == config.finest).mean(), likely[0], tau.mean(), shortcut.ramp(tau).mean()]
    np.testing.assert_allclose(found + likely[1:], PAPER[law], atol=0.003)


@pytest.mark.parametrize("law", TILTED, ids=str)
def test_labels_follow_a_law_tilted_to_the_finest_step(law):
    tau, step, config = drawn(*law)
    found = (tau == 0).mean(), (tau == 0.875).mean(), tau.mean(), shortcut.ramp(tau).mean()
    np.testing.assert_allclose(found, TILTED[law], atol=0.003)
    assert (step == config.finest).mean() == pytest.approx(law[1], abs=0.003)


def test_levels_lie_on_the_grid_of_their_step():
    tau, step, config = drawn(16, 0.0)
    steps = tau * 2.0**step
    np.testing.assert_array_equal(steps, np.round(steps))
    assert (tau + 2.0**-step <= 1).all() and set(step) == set(range(config.finest + 1))


def test_every_frame_draws_its_own_label():
    config = tiny_v4.config(dyn__kmax=8, dyn__context_level=0.5)
    level, step = shortcut.labels(config, draws.rows(KEY, 50_000), 2)
    for found in (np.asarray(level), np.asarray(step)):
        assert abs(np.corrcoef(found.T)[0, 1]) < 0.02


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


# The loss.

loss = jax.jit(shortcut.loss, static_argnums=1)


def inputs(config):
    given = tiny_v4.frames(config, 5)
    rows, shape = np.zeros(tiny_v4.ROWS, bool), given["known"].shape
    return given["z"], given["action"], given["known"], rows, np.ones(shape, bool), KEY


def test_the_ramp_goes_from_a_tenth_to_one():
    np.testing.assert_allclose(shortcut.ramp(np.array([0, 0.5, 1])), [0.1, 0.55, 1.0])


def test_a_model_that_predicts_zero_loses_the_ramped_square_of_the_data():
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=1.0)
    values = tiny_v4.values(config)
    values |= {name: 0 * values[name] for name in values if name.startswith("dyn/spatial/out")}
    z, *rest = inputs(config)
    found, told, _ = loss(values, config, z, *rest, 1.0)
    keys = draws.split(draws.rows(KEY, tiny_v4.ROWS), 3)
    level, _ = shortcut.labels(config, keys[0], 5)
    weight = shortcut.ramp(level / config.dyn.kmax)
    square = np.square(z).mean((2, 3))
    np.testing.assert_allclose(found, (weight * square).mean(), rtol=1e-5)
    np.testing.assert_allclose(told["flow"], [square.sum(), square.size], rtol=1e-5)
    fresh = {n: leaf for n, leaf in dynamics.shapes(config).items() if "spatial/out" in n}
    assert not any(leaf.scale or leaf.fill for leaf in fresh.values())  # a new network is like this


def test_frames_that_are_not_valid_count_for_nothing():
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=0.3)
    values = tiny_v4.values(config)
    z, action, known, rows, valid, key = inputs(config)
    valid[:, 3:] = False
    other = z.copy()
    other[:, 3:] += 1
    one, two = (loss(values, config, x, action, known, rows, valid, key, 1.0) for x in (z, other))
    np.testing.assert_array_equal(one[0], two[0])
    assert int(one[1]["frames"]) == 3 * tiny_v4.ROWS


def test_no_gradient_flows_through_the_bootstrap_target(monkeypatch):
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=0.3)
    values, arguments = tiny_v4.values(config), inputs(config)
    target = bootstrap_target(monkeypatch, values, config, arguments)
    through = gradient(values, config, arguments)
    monkeypatch.setattr(jax.lax, "stop_gradient", lambda x: x)
    leaky = gradient(values, config, arguments)  # the mutation
    monkeypatch.setattr(shortcut, "bootstrap", lambda *_: target)
    for name, wanted in gradient(values, config, arguments).items():
        np.testing.assert_allclose(through[name], wanted, rtol=1e-4, atol=1e-6, err_msg=name)
    assert max(float(jnp.abs(leaky[name] - through[name]).max()) for name in leaky) > 1e-3


def gradient(values, config, arguments):
    """Of the loss, in the layers after which nothing else comes."""
    some = {name: value for name, value in values.items() if name.startswith("dyn/spatial")}
    return jax.grad(lambda mine: shortcut.loss(values | mine, config, *arguments, 1.0)[0])(some)


def bootstrap_target(monkeypatch, values, config, arguments):
    """The target that the loss computes."""
    right, seen = shortcut.bootstrap, []
    with monkeypatch.context() as patch:
        patch.setattr(shortcut, "bootstrap", lambda *a: seen.append(right(*a)) or seen[0])
        shortcut.loss(values, config, *arguments, 1.0)
    return seen[0]


def test_the_bootstrap_fades_in():
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=0.3)
    values, arguments = tiny_v4.values(config), inputs(config)
    losses = [float(loss(values, config, *arguments, w)[0]) for w in (0.0, 0.5, 1.0)]
    assert losses[0] < losses[1] < losses[2]
    assert losses[1] == pytest.approx((losses[0] + losses[2]) / 2, rel=1e-5)


def test_rows_at_the_context_level_train_the_heads_alone():
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=0.3, head__ctx_rows=1.0)
    values, arguments = tiny_v4.values(config), inputs(config)
    found, told, h = shortcut.loss(values, config, *arguments, 1.0, agent=True)
    assert (float(found), int(told["frames"])) == (0.0, 0)
    assert h.shape == (tiny_v4.ROWS, 5, config.dyn.width)


def test_a_rows_noise_depends_on_its_key_alone():
    config = tiny_v4.config(dyn__layers="T", dyn__p_flow=0.3)
    values = tiny_v4.values(config)
    z, action, known, rows, valid, _ = inputs(config)
    keys, late = jax.random.split(KEY, tiny_v4.ROWS), np.array([2, 0, 1])
    one = loss(values, config, z, action, known, rows, valid, keys, 1.0)[0]
    two = loss(values, config, z[late], action[late], known, rows, valid, keys[late], 1.0)
    np.testing.assert_allclose(one, two[0], rtol=1e-6)
