"""The loss of the dynamics: ramp, valid frames, gradients, fading, rows of the heads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v4 import draws, dynamics, shortcut
from tests import quick, tiny_v4

KEY = jax.random.key(0)
loss = quick.jit(shortcut.loss, static_argnums=1)


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

    def loss(mine):
        return shortcut.loss(values | mine, config, *arguments, 1.0)[0]

    return quick.jit(jax.grad(loss))(some)


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
