"""Layers compute their formulas and start as they should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import nets

KEY = jax.random.key(0)


def test_the_groups_of_a_block_layer_do_not_mix():
    values = nets.init(nets.block_shapes("l", 4, 8, 12), KEY)
    seen = jax.jacobian(lambda x: nets.block_linear(values, "l", x))(jnp.ones((1, 8)))[0, :, 0]
    mixed = np.abs(seen).reshape(4, 3, 4, 2).max((1, 3)) > 0
    np.testing.assert_array_equal(mixed, np.eye(4, dtype=bool))


def test_each_group_is_multiplied_by_its_own_matrix():
    values = nets.init(nets.block_shapes("l", 2, 6, 4), KEY) | {"l/bias": jnp.arange(4.0)}
    x = np.random.default_rng(0).normal(size=(5, 3, 6)).astype(np.float32)
    kernel = np.asarray(values["l/kernel"])
    parts = [x[..., :3] @ kernel[0], x[..., 3:] @ kernel[1]]
    wanted = np.concatenate(parts, -1) + np.arange(4)
    np.testing.assert_allclose(nets.block_linear(values, "l", x), wanted, rtol=1e-5, atol=1e-6)


def plain_norm(x, scale):
    return x / jnp.sqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-4) * scale


@pytest.mark.parametrize("width", [1, 4, 16, 17, 64])
def test_the_norm_and_its_written_gradient_are_those_of_the_formula(width):
    rng = np.random.default_rng(width)
    x, scale, pull = (jnp.asarray(rng.normal(size=(3, 2, width)), jnp.float32) for _ in range(3))
    scale = scale[0, 0]
    found, back = jax.vjp(lambda x, s: nets.rms_norm({"n/scale": s}, "n", x), x, scale)
    wanted, back_plain = jax.vjp(plain_norm, x, scale)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for ours, theirs in zip(back(pull), back_plain(pull), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_mlp_returns_every_layer():
    values = nets.init(nets.mlp_shapes("m", 5, 3, 7), KEY)
    outputs = nets.mlp(values, "m", jnp.ones((2, 5)), 3, "silu")
    assert [x.shape for x in outputs] == [(2, 7)] * 3
    again = nets.linear(values, "m/linear2", outputs[1])
    np.testing.assert_allclose(nets.norm_act(values, "m/norm2", again, "silu"), outputs[2])


SHAPES = {
    "linear": (nets.linear_shapes("l", 400, 300), 400),
    "block": (nets.block_shapes("l", 8, 800, 640), 800),
    "conv": (nets.conv_shapes("l", 48, 64), 25 * 48),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_weights_start_with_a_variance_of_one_over_their_inputs(kind):
    shapes, fan_in = SHAPES[kind]
    values = nets.init(shapes, KEY)
    kernel = np.asarray(values["l/kernel"]) * np.sqrt(fan_in)
    assert kernel.std() == pytest.approx(1, rel=0.02) and abs(kernel.mean()) < 0.02
    assert np.abs(kernel).max() <= 2 * nets.TRUNCATION + 1e-6
    assert not values["l/bias"].any()


def test_an_outscale_shrinks_the_weights_and_zero_gives_zeros():
    small = nets.init(nets.linear_shapes("l", 400, 300, 0.01), KEY)["l/kernel"]
    assert float(small.std()) == pytest.approx(0.01 / 20, rel=0.02)
    shapes = nets.linear_shapes("a", 4, 3, 0.0) | nets.linear_shapes("b", 4, 3)
    values = nets.init(shapes, KEY)
    assert not values["a/kernel"].any() and values["b/kernel"].all()


def test_parameters_of_one_draw_are_all_different():
    shapes = nets.linear_shapes("a", 9, 9) | nets.linear_shapes("b", 9, 9)
    values = nets.init(shapes | nets.norm_shapes("n", 4), KEY)
    assert not np.intersect1d(values["a/kernel"], values["b/kernel"]).size
    np.testing.assert_array_equal(values["n/scale"], np.ones(4))


def test_only_matrices_and_biases_take_the_compute_type():
    shapes = nets.mlp_shapes("m", 2, 1, 3)
    kinds = {name: x.dtype for name, x in nets.cast(nets.init(shapes, KEY), jnp.bfloat16).items()}
    assert kinds.pop("m/norm0/scale") == jnp.float32
    assert set(kinds.values()) == {jnp.dtype(jnp.bfloat16)}
