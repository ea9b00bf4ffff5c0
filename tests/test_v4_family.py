"""DreamerV4 as an agent family: acting, remembering, imagining and naming its layers."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v4 import agent, belief, draws, dynamics, latents, shortcut, tokenizer
from jobs.errors import Refused
from tests import quick, toy_v4

STEPS = 6  # more than the window of four frames
PARAMS = toy_v4.params()
CONFIG = PARAMS.config
act = quick.jit(partial(agent.act, sample=True))


def episode():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS, 2, *CONFIG.observed)).astype(np.uint8)
    return images, rng.integers(0, toy_v4.ACTIONS, (STEPS, 2))


def keys(step):
    return jax.random.split(jax.random.key(step), 2)


@pytest.fixture(scope="module")
def played():
    """Carry and activations of every step of two episodes whose actions were given."""
    carry, found = agent.start(PARAMS, 2), []
    for step, (image, taken) in enumerate(zip(*episode(), strict=True)):
        seen = {"image": image, "is_first": np.full(2, step == 0)}
        carry, _, layers = act(PARAMS, carry, seen, keys(step), taken=jnp.asarray(taken))
        found.append(layers)
    return carry, found


def test_acting_step_by_step_equals_the_forward_pass_over_the_episode(played):
    images, actions = (np.swapaxes(x, 0, 1) for x in episode())
    noise = [draws.split(keys(step), 3)[0] for step in range(STEPS)]

    @quick.jit
    def whole(values):
        z = latents.pack(values, CONFIG, tokenizer.encode(values, CONFIG, images))
        noised = [shortcut.noise_context(CONFIG, z[:, t], noise[t]) for t in range(STEPS)]
        level, finest = (jnp.full((2, STEPS), x) for x in (CONFIG.context, CONFIG.finest))
        led = np.concatenate([np.zeros((2, 1), int), actions[:, :-1]], 1)
        known = jnp.ones((2, STEPS), bool).at[:, 0].set(False)
        noised = jnp.stack(noised, 1)
        return dynamics.forward(values, CONFIG, noised, level, finest, led, known)[1]

    h = whole(PARAMS.values)
    found = np.stack([layers["agent/h"] for layers in played[1]], 1)
    np.testing.assert_allclose(found, h, rtol=1e-4, atol=1e-4)


def test_every_layer_has_the_name_and_width_that_the_family_tells(played):
    told = agent.layers(toy_v4.tree(), toy_v4.seen())
    found = {name: x.shape[1] for name, x in played[1][0].items()}
    assert {layer.name: layer.width for layer in told} == found
    assert [layer.name for layer in told if layer.belief] == ["dyn/z", "agent/h", "dyn/memory"]
    parts = [layer.name.split("/")[0] for layer in told]
    assert parts.index("enc") < parts.index("tok") < parts.index("pred") < parts.index("head")


def test_taps_leave_out_layers_but_never_the_belief():
    told = agent.layers(toy_v4.tree(taps="^pred/h$"), toy_v4.seen())
    assert [layer.name for layer in told] == ["dyn/z", "pred/h", "agent/h", "dyn/memory"]


def test_a_belief_holds_the_last_frames_and_starts_the_same_imagination(played):
    carry, found = played
    begun = agent.start(PARAMS, 2, {name: found[-1][name] for name in belief.LAYERS})
    for one, two in zip(begun.frames, carry.frames, strict=True):
        assert np.array_equal(one, two)
    go = quick.jit(partial(agent.imagine, horizon=3, sample=True))
    actions, states, seen = go(PARAMS, begun, None, key=jax.random.key(5))
    again, same, _ = go(PARAMS, begun, actions, key=jax.random.key(5))
    assert np.array_equal(actions, again)
    assert all(np.array_equal(states[name], same[name]) for name in belief.LAYERS)
    assert seen["image"].shape == (2, 3, *CONFIG.observed) and seen["image"].dtype == np.uint8
    assert {name: x.shape[2] for name, x in states.items()} == belief.widths(CONFIG)
    newest = belief.unflat(CONFIG, states["dyn/memory"][:, -1])
    assert np.array_equal(newest.action[:, -3:], actions)


def test_a_new_episode_forgets_the_old_one(played):
    images, _ = episode()
    seen = {"image": images[0], "is_first": np.ones(2, bool)}
    _, action, layers = act(PARAMS, played[0], seen, keys(0))
    _, fresh, clean = act(PARAMS, agent.start(PARAMS, 2), seen, keys(0))
    assert np.array_equal(action, fresh)
    assert all(np.array_equal(layers[name], clean[name]) for name in layers if "memory" not in name)
    frames = belief.unflat(CONFIG, layers["dyn/memory"])
    assert frames.valid.tolist() == [[False] * (CONFIG.imag.context - 1) + [True]] * 2


def test_learning_step_by_step_is_refused_with_the_commands_to_use():
    with pytest.raises(Refused, match="dreamer.dataset, then run python -m dreamer.v4.train_tok"):
        agent.train(None, None, None)
