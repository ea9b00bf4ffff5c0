"""The dynamics of DreamerV4: tokens, positions, shared keys, and that the cache changes nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.v4 import attention, cache, draws, dynamics, masks, shortcut
from tests import tiny_v4, toy_v4

KEY = jax.random.key(0)
STEP = jax.jit(cache.step, static_argnums=1, static_argnames=("commit", "taps", "agent"))


@pytest.mark.parametrize("layers", ["ST", "TST"])
@pytest.mark.parametrize("action", [toy_v4.DISCRETE, toy_v4.CONTINUOUS], ids=["discrete", "box"])
def test_one_frame_at_a_time_equals_all_at_once(layers, action):
    """Beyond the window too, and from a new start within a row."""
    config = tiny_v4.config(action, dyn__layers=layers, dyn__window=3, imag__context=3)
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 8)
    segment = np.array([[0] * 5 + [1] * 3, [0] * 8, [0] * 8])
    clean, h, taps = dynamics.forward(values, config, **given, segment=segment, taps=True)
    memory = cache.start(config, tiny_v4.ROWS)
    for t in range(8):
        one = {name: x[:, t] for name, x in given.items()}
        first = np.array([t in (0, 5), t == 0, t == 0])
        found = STEP(values, config, memory, **one, is_first=first, taps=True)
        memory = found[2]
        np.testing.assert_allclose(found[0], clean[:, t], atol=1e-4)
        np.testing.assert_allclose(found[1], h[:, t], atol=1e-4)
        for name, tap in found[3].items():
            np.testing.assert_allclose(tap, taps[name][:, t], atol=1e-4, err_msg=name)


def test_generating_leaves_the_cache_alone_and_one_past_has_many_futures():
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    memory = cache.start(config, tiny_v4.ROWS)
    for t in range(4):
        memory = STEP(values, config, memory, **{n: x[:, t] for n, x in given.items()})[2]
    before = jax.tree.map(np.array, memory)
    generate = jax.jit(shortcut.generate, static_argnums=1)
    keys, known = draws.rows(KEY, tiny_v4.ROWS), np.ones(tiny_v4.ROWS, bool)
    futures = [
        generate(values, config, memory, np.full(tiny_v4.ROWS, action), known, keys)
        for action in (0, 1, 0)
    ]
    jax.tree.map(np.testing.assert_array_equal, before, memory)
    np.testing.assert_array_equal(futures[0], futures[2])
    assert np.abs(futures[0] - futures[1]).max() > 1e-4
    last = {n: x[:, 4] for n, x in given.items()}
    same = STEP(values, config, memory, **last, commit=False)
    jax.tree.map(np.testing.assert_array_equal, before, same[2])
    twice = {name: np.repeat(x, 2, 0) for name, x in last.items()}
    many = STEP(values, config, cache.tile(memory, 2), **twice)
    np.testing.assert_allclose(many[0][::2], same[0], atol=1e-5)


def test_clamped_latents_stay_within_the_tokenizers_range():
    config = tiny_v4.config(dyn__clamp=True, dyn__layers="S")
    values = tiny_v4.values(config) | {"scale/std": jnp.full((8, 8), 5.0)}
    known = np.ones(tiny_v4.ROWS, bool)
    z = shortcut.generate(values, config, cache.start(config, 3), known * 1, known, KEY)
    found = z.reshape(3, 8, 8) * 5 + values["scale/mean"]
    assert np.abs(found).max() == pytest.approx(1, abs=1e-4)


def test_without_the_agent_the_world_is_the_same():
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    found, h = dynamics.forward(values, config, **given)
    alone, none = dynamics.forward(values, config, **given, agent=False)
    np.testing.assert_allclose(found, alone, atol=1e-4)
    assert none is None and h.shape == (3, 5, config.dyn.width)


def test_renaming_actions_and_their_vectors_together_changes_nothing():
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    order = np.array([3, 0, 4, 1, 2])
    table = values["dyn/action/table"][np.argsort(order)]
    renamed = given | {"action": order[given["action"]]}
    one = dynamics.forward(values, config, **given)[0]
    two = dynamics.forward(values | {"dyn/action/table": table}, config, **renamed)[0]
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("action", [toy_v4.DISCRETE, toy_v4.CONTINUOUS], ids=["discrete", "box"])
def test_an_unknown_action_is_the_base_vector_alone(action):
    config = tiny_v4.config(action)
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    given["known"][:, 2] = False
    x = dynamics.embed(values, config, **given)
    base = np.broadcast_to(values["dyn/action/base"], x[:, 2, :1].shape)
    np.testing.assert_allclose(x[:, 2, :1], base, rtol=1e-6)
    lost = given | {"action": np.where(True, given["action"], 0)}
    lost["action"][:, 2] = np.nan if action is toy_v4.CONTINUOUS else -1
    np.testing.assert_array_equal(x, dynamics.embed(values, config, **lost))


def test_a_new_network_predicts_zero():
    leaves = dynamics.shapes(tiny_v4.config())
    flow = [leaf for name, leaf in leaves.items() if name.startswith("dyn/spatial/out")]
    assert len(flow) == 2 and not any(leaf.scale or leaf.fill for leaf in flow)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(st.integers(0, 5000))
@settings(deadline=None, max_examples=10)
def test_rotary_attention_knows_distances_alone(shift):
    q, k, v = (random(1, 4, 2, 8, seed=seed) for seed in range(3))
    mask, at = masks.time(4, 4), np.arange(4)
    out = [
        attention.attention(attention.rotate(q, at + s), attention.rotate(k, at + s), v, mask, 50.0)
        for s in (0, shift)
    ]
    np.testing.assert_allclose(out[0], out[1], atol=2e-3)  # float32 angles of thousands of turns


def test_positions_turn_pairs_of_channels_by_the_formula():
    x = random(1, 3, 1, 4)
    found = np.asarray(attention.rotate(x, np.arange(3)))
    pairs = x[..., :2] + 1j * x[..., 2:]
    turned = pairs * np.exp(1j * np.arange(3)[:, None, None] * np.array([1.0, 0.01]))
    np.testing.assert_allclose(found[..., :2] + 1j * found[..., 2:], turned, atol=1e-6)


def test_the_order_of_slots_matters_within_a_frame():
    q, v = random(1, 1, 4, 2, 8), random(1, 1, 4, 2, 8, seed=1)
    look = attention.within(np.ones((4, 4), bool), 0.0)
    order = np.array([1, 0, 3, 2])
    moved = look(q[:, :, order], q[:, :, order], v[:, :, order])
    assert np.abs(look(q, q, v)[:, :, order] - moved).max() > 1e-3


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_shared_keys_equal_repeated_ones_and_plain_attention(shared):
    q, k, v = random(3, 5, 4, 8), *(random(3, 5, 4 // shared, 8, seed=s) for s in (1, 2))
    mask = masks.time(5, 3)
    found = attention.attention(q, k, v, mask, 0.0)
    whole = attention.attention(q, *(np.repeat(x, shared, 2) for x in (k, v)), mask, 0.0)
    np.testing.assert_allclose(found, whole, atol=1e-6)
    library = jax.nn.dot_product_attention(q, k, v, mask=mask[:, None])
    np.testing.assert_allclose(found, library, atol=1e-5)


def test_the_cap_bounds_rises_and_leaves_hidden_keys_hidden():
    x = np.linspace(-300, 300, 601, dtype=np.float32)
    found = np.asarray(attention.cap(x, 50.0))
    assert (np.abs(found) <= 50).all() and (np.diff(found) >= 0).all()
    np.testing.assert_allclose(found[295:306], x[295:306], rtol=0.01)
    np.testing.assert_array_equal(attention.cap(x, 0.0), x)
    q, v = random(1, 3, 1, 8), random(1, 3, 1, 8, seed=1)
    other = v.copy()
    other[:, 2] += 100
    out = [attention.attention(q, q, y, masks.time(3, 3), 1.0) for y in (v, other)]
    np.testing.assert_array_equal(out[0][:, :2], out[1][:, :2])
