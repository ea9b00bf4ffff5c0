"""Every form of the convolutions computes the same as XLA's own, and so do its gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from dreamer import conv

FUNCTIONS = [conv.conv, conv.conv_pool, conv.upsample_conv]
FORMS = ["phases", "chunks"]
even = st.integers(1, 4).map(lambda half: 2 * half)


def inputs(shape, outputs, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    shapes = shape, (5, 5, shape[-1], outputs), (outputs,)
    return [jnp.asarray(rng.normal(size=shape), dtype) for shape in shapes]


def results(function, form, arguments):
    """Output, and the gradients of a fixed random weighting of it."""
    out, pull = jax.vjp(jax.jit(partial(function, form=form)), *arguments)
    weights = np.random.default_rng(1).integers(-3, 4, out.shape)
    return out, *pull(jnp.asarray(weights, out.dtype))


def gradient(form, wanted):
    """Compiled gradient of the sum of `conv_pool`, for the arguments with numbers `wanted`."""
    return jax.jit(jax.grad(lambda *a: conv.conv_pool(*a, form=form).sum(), wanted))


def assert_equal(found, expected, tolerance=1e-5):
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = np.float64(ours), np.float64(theirs)
        assert np.linalg.norm(ours - theirs) <= tolerance * np.linalg.norm(theirs)


def slow_conv(x, kernel, bias):
    """The definition, one pair of channels at a time."""
    pairs = [
        [correlate2d(image[..., c], kernel[..., c, d], "same") for c in range(x.shape[-1])]
        for image in x
        for d in range(kernel.shape[-1])
    ]
    out = np.sum(pairs, 1).reshape(len(x), kernel.shape[-1], *x.shape[1:3])
    return np.moveaxis(out, 1, -1) + bias


def test_the_plain_forms_do_what_they_say():
    x, kernel, bias = arguments = [np.float64(value) for value in inputs((2, 6, 4, 3), 2)]
    y = slow_conv(*arguments)
    pooled = np.max([y[:, a::2, b::2] for a in range(2) for b in range(2)], 0)
    wide = slow_conv(np.kron(x, np.ones((1, 2, 2, 1))), kernel, bias)
    for function, expected in zip(FUNCTIONS, [y, pooled, wide], strict=True):
        found = function(*inputs((2, 6, 4, 3), 2), form="plain")
        assert_equal([found], [expected], 1e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(
    n=st.integers(1, 3), size=st.tuples(even, even), channels=st.tuples(*[st.integers(1, 9)] * 2)
)
def test_outputs_and_gradients_equal_the_plain_form(function, n, size, channels):
    arguments = inputs((n, *size, channels[0]), channels[1])
    expected = results(function, "plain", arguments)
    for form in FORMS:
        assert_equal(results(function, form, arguments), expected)


def test_many_chunks_equal_one(monkeypatch):
    arguments = inputs((6, 8, 8, 3), 4)
    whole = results(conv.conv_pool, "chunks", arguments)
    monkeypatch.setattr(conv, "CHUNK", 2**15)
    assert_equal(results(conv.conv_pool, "chunks", arguments), whole, 1e-6)
    assert "stablehlo.while" in gradient("chunks", (0, 1, 2)).lower(*arguments).as_text()


@pytest.mark.parametrize("form", ["plain", *FORMS])
def test_equal_maxima_share_the_gradient(form):
    x, kernel, bias = inputs((1, 4, 4, 1), 1)
    arguments = jnp.ones_like(x), jnp.zeros_like(kernel).at[2, 2].set(1), bias
    (found,) = gradient(form, (0,))(*arguments)
    np.testing.assert_array_equal(found, np.full(x.shape, 0.25))


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_equal_where_many_maxima_tie(form):
    arguments = [jnp.round(value) for value in inputs((4, 8, 8, 2), 3)]
    expected = results(conv.conv_pool, "plain", arguments)
    assert_equal(results(conv.conv_pool, form, arguments), expected, 1e-6)


@pytest.mark.parametrize("form", ["plain", *FORMS])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_bfloat16_goes_in_and_comes_out(function, form):
    x, kernel, bias = inputs((2, 8, 8, 3), 4)
    found = results(function, form, [x.astype(jnp.bfloat16), kernel, bias])
    assert [value.dtype for value in found] == ["bfloat16", "bfloat16", "float32", "float32"]
    exact = function(x, kernel, bias, form="plain")
    assert_equal(found[:1], [exact], 1e-2)


@pytest.mark.parametrize("form", ["plain", *FORMS])
def test_an_input_gradient_that_nobody_asks_for_is_not_computed(form):
    arguments = inputs((2, 8, 8, 3), 4)
    programs = [
        gradient(form, wanted).lower(*arguments).compile().as_text()
        for wanted in ((1, 2), (0, 1, 2))
    ]
    without, complete = [program.count(" convolution(") for program in programs]
    assert without == complete - 1


def test_an_unknown_form_is_an_error():
    with pytest.raises(ValueError, match="plain, phases or chunks"):
        conv.conv(*inputs((1, 4, 4, 1), 1), form="fast")


def test_one_form_can_be_forced_on_all(monkeypatch):
    arguments = inputs((2, 8, 8, 3), 4)

    def program():
        return gradient(None, (1,)).lower(*arguments).as_text()

    monkeypatch.setattr(conv, "FORCED", "plain")
    plain = program()
    monkeypatch.setattr(conv, "FORCED", "phases")
    assert "8x8x3xf32" in plain and "4x4x12xf32" in program() and "4x4x12xf32" not in plain
