"""Running RMS of losses, the optimiser's rule, and configurations that cannot be."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import options
from dreamer.v4 import config as configs
from dreamer.v4 import dynamics, optimizer, rms, tokenizer
from jobs.errors import Refused
from tests import tiny_v4, toy_v4


def test_the_first_loss_is_divided_by_itself():
    found, _ = rms.normalise(rms.start(["a"]), {"a": jnp.float32(7)})
    assert float(found["a"]) == pytest.approx(1)


def test_the_rms_is_that_of_decayed_losses():
    state = rms.start(["a", "b"], 0.9)
    for loss in (1.0, 2.0, 4.0):
        found, state = rms.normalise(state, {"a": jnp.float32(loss), "b": jnp.float32(1)})
    weights = np.array([0.81, 0.9, 1])
    wanted = np.sqrt((weights * [1, 4, 16]).sum() / weights.sum())
    assert float(found["a"]) == pytest.approx(4 / wanted, rel=1e-5)
    assert float(found["b"]) == pytest.approx(1, rel=1e-5)


@given(st.floats(1e-2, 1e4))
@settings(deadline=None, max_examples=10)
def test_the_scale_of_a_loss_does_not_change_its_gradient(scale):
    def gradient(scale):
        state = rms.start(["a"])
        for x in (0.5, 1.5, 1.0):
            slope, state = jax.grad(one, has_aux=True)(jnp.float32(x), state, scale)
        return float(slope)

    def one(x, state, scale):
        found, state = rms.normalise(state, {"a": scale * x**2})
        return found["a"], state

    assert gradient(scale) == pytest.approx(gradient(1.0), rel=1e-4)


def test_the_state_survives_a_copy_of_its_leaves():
    state = rms.normalise(rms.start(["a"]), {"a": jnp.float32(3)})[1]
    leaves, tree = jax.tree.flatten(state)
    again = jax.tree.unflatten(tree, [np.asarray(leaf) for leaf in leaves])
    assert rms.normalise(again, {"a": 5.0})[0] == rms.normalise(state, {"a": 5.0})[0]


def block(**changes):
    return tiny_v4.config(**{f"tok__{name}": value for name, value in changes.items()}).tok


def test_the_rate_rises_then_falls_along_a_cosine():
    o = block(lr=1.0, lr_end=0.1, warmup=4, updates=14)
    rates = [float(optimizer.learning_rate(o, count)) for count in (0, 3, 4, 9, 14, 99)]
    np.testing.assert_allclose(rates, [0.25, 1.0, 1.0, 0.55, 0.1, 0.1], rtol=1e-6)


def one_update(o, gradient, factors=None):
    values = {"a/kernel": jnp.ones(2), "b/scale": jnp.ones(2)}
    rule = optimizer.build(o, factors)
    changes, _ = rule.update(gradient, rule.init(values), values)
    return optax.apply_updates(values, changes)


def test_matrices_alone_decay():
    o = block(lr=0.1, lr_end=0.1, warmup=0, wd=0.5)
    found = one_update(o, {"a/kernel": jnp.zeros(2), "b/scale": jnp.zeros(2)})
    np.testing.assert_allclose(found["a/kernel"], 0.95)
    np.testing.assert_allclose(found["b/scale"], 1.0)


def test_groups_have_rates_of_their_own():
    o = block(lr=0.1, lr_end=0.1, warmup=0, wd=0.0)
    found = one_update(o, {"a/kernel": jnp.ones(2), "b/scale": jnp.ones(2)}, {"b/": 0.3})
    np.testing.assert_allclose(found["a/kernel"], 0.9, rtol=1e-4)
    np.testing.assert_allclose(found["b/scale"], 0.97, rtol=1e-4)


SIDES = {"t0": 16, "t1": 32, "c_small": 64, "c_base": 64, "published": 64, "crafter_v4_small": 64}


@pytest.mark.parametrize("preset", SIDES)
def test_every_preset_is_a_network_for_its_world(preset):
    tree = options.resolve([preset], {"agent": "v4"})
    config = configs.freeze(tree, toy_v4.seen(side=SIDES[preset]))
    shapes = tokenizer.shapes(config) | dynamics.shapes(config)
    assert all(name.startswith(("tok/", "dyn/")) for name in shapes)
    if preset == "published":
        assert (config.dyn.width, len(config.dyn.layers)) == (512, 12)
        assert (config.tok.latents, config.tok.channels) == (32, 128)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tok__patch": 5}, "patches"),
        ({"tok__patch": 0}, "tok.patch is 0, but must be at least 1"),
        ({"head__mtp": 0}, "head.mtp is 0, but must be at least 1"),
        ({"imag__alpha": 1.5}, "imag.alpha is 1.5, but is a share"),
        ({"tok__encoder": "SXT"}, "letters S and T"),
        ({"tok__heads": 3}, "tok.width"),
        ({"dyn__kv_heads": 3}, "dyn.heads"),
        ({"dyn__pack": 3}, "tok.latents"),
        ({"dyn__kmax": 6}, "power of two"),
        ({"dyn__rungs": 3}, "dyn.rungs"),
        ({"dyn__context_level": 0.8}, "dyn.context_level"),
        ({"imag__context": 9}, "imag.context"),
        ({"dec__keys": "nothing"}, "dec.keys"),
    ],
)
def test_a_network_that_cannot_be_is_refused(changes, word):
    with pytest.raises(Refused, match=word):
        tiny_v4.config(**changes)
