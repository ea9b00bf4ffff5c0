"""The V3 family: what an agent is told, what it does, and how it is trained."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import options
from dreamer.spaces import Space, Spaces
from dreamer.v3 import agent, rssm
from dreamer.v3 import config as configs
from jobs.errors import Refused
from tests import toy_agent

KEY = jax.random.key(3)
CRAFTER = Spaces((("image", Space((64, 64, 3), "uint8")),), Space((), "int32", 17))
FELT = {"enc__keys": ".", "dec__keys": "."}
QUICK = {"xla_backend_optimization_level": 0}  # to compile, not to run
train = jax.jit(agent.train, donate_argnums=0, compiler_options=QUICK)
act = jax.jit(agent.act, static_argnums=4)
imagine = jax.jit(agent.imagine, static_argnums=(3, 5))


@pytest.fixture(scope="module")
def state():
    return toy_agent.fresh()


def look(batch, step=0):
    return {name: batch[name][:, step] for name in batch if not name.startswith("dyn/")}


def names(spaces=CRAFTER, configs=("crafter", "size1m"), **changes):
    """Shapes of all parameters, nothing allocated."""
    tree = options.resolve(configs, changes)
    return jax.eval_shape(lambda: agent.init(tree, spaces, KEY)).params.values


def test_a_crafter_agent_sees_nothing_but_pixels():
    position = ("player_pos", Space((2,), "float32"))
    told = Spaces((*CRAFTER.observation, position), CRAFTER.action)
    for spaces in (CRAFTER, told):
        found = names(spaces)
        assert not [name for name in found if name.startswith(("enc/mlp", "dec/mlp", "dec/vec"))]
    assert "enc/mlp0/kernel" in names(told, **{"enc.keys": "image|player_pos"})


def test_logged_observations_never_reach_the_network():
    found = names(toy_agent.FELT, ("debug",), **{"enc.keys": ".", "dec.keys": "."})
    assert found["enc/mlp0/kernel"].shape == (3 + 4, 8)
    assert {name.split("/")[2] for name in found if name.startswith("dec/vec")} == {"mode", "speed"}


def test_keys_that_match_nothing_are_refused():
    with pytest.raises(Refused, match="enc.keys is 'picture', which matches none of: image"):
        configs.freeze(toy_agent.tree(enc__keys="picture"), toy_agent.SEEN)


SIZES = {"size1m": 1, "size12m": 12, "size25m": 25, "size50m": 50, "size100m": 100}
SIZES |= {"size200m": 200, "size400m": 400}


@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_between_65_and_100_percent_of_the_weights_in_its_name(size):
    found = names(configs=("crafter", size))
    own = [leaf for name, leaf in found.items() if not name.startswith("slow")]
    count = sum(math.prod(leaf.shape) for leaf in own)
    print(size, f"{count:,}")
    assert 0.65 <= count / (SIZES[size] * 1e6) <= 1.0


def test_value_and_reward_start_at_zero_and_the_policy_nearly_uniform():
    values = agent.init(toy_agent.tree(), toy_agent.SEEN, KEY).params.values
    assert not values["rew/head/logits/kernel"].any() and not values["val/head/logits/kernel"].any()
    assert 0 < float(values["pol/head/action/logits/kernel"].std()) < 0.01
    for name, value in values.items():
        if name.startswith("slowval/"):
            np.testing.assert_array_equal(value, values[name.removeprefix("slow")])


def test_acting_returns_every_layer_in_its_order_and_width(state):
    layers = agent.layers(toy_agent.tree(), toy_agent.SEEN)
    carry = agent.start(state.params, 3)
    _, action, found = act(state.params, carry, look(toy_agent.batch()), KEY, True)
    assert len(found) == len(layers)
    assert all(found[layer.name].shape == (3, layer.width) for layer in layers)
    trunks = [f"{name}/mlp/linear{index}" for name in ("pol", "val") for index in range(3)]
    images = [f"enc/cnn{index}" for index in range(3)]
    order = [*images, "enc/tokens", "dyn/deter", "dyn/stoch", *trunks]
    assert [layer.name for layer in layers] == order
    assert [layer.name for layer in layers if layer.belief] == ["dyn/deter", "dyn/stoch"]
    assert action.shape == (3,) and action.dtype == jnp.int32


@pytest.mark.parametrize("spaces, changes", [(toy_agent.SEEN, {}), (toy_agent.FELT, FELT)])
def test_with_a_key_per_row_acting_does_not_depend_on_the_order_of_rows(spaces, changes):
    params = toy_agent.fresh(spaces, **changes).params
    keys, order = jax.random.split(KEY, 3), np.array([2, 0, 1])
    seen, carry = look(toy_agent.batch(spaces)), agent.start(params, 3)
    carry, action, found = act(params, carry, seen, keys, True)
    shuffled = {name: value[order] for name, value in seen.items()}
    _, other, rest = act(params, agent.start(params, 3), shuffled, keys[order], True)
    np.testing.assert_allclose(action[order], other, rtol=1e-6)
    for name, value in found.items():
        np.testing.assert_allclose(value[order], rest[name], rtol=1e-5, atol=1e-6)


def test_the_most_probable_action_needs_no_key_and_old_style_keys_serve_too(state):
    seen, carry = look(toy_agent.batch()), agent.start(state.params, 3)
    best = [act(state.params, carry, seen, key, False)[1] for key in (None, KEY)]
    np.testing.assert_array_equal(*best)
    old = jax.random.key_data(KEY)
    drawn = [act(state.params, carry, seen, key, True)[1] for key in (old, KEY)]
    np.testing.assert_array_equal(*drawn)


def test_dreaming_with_given_actions_equals_stepping_by_hand(state):
    config, values = state.params.config, state.params.values
    rng = np.random.default_rng(0)
    belief = {"dyn/deter": jnp.asarray(rng.normal(size=(3, 8)), jnp.float32)}
    belief["dyn/stoch"] = jnp.eye(4)[rng.integers(0, 4, (3, 2))].reshape(3, 8)
    actions = jnp.asarray(rng.integers(0, 6, (3, 5)))
    carry = agent.start(state.params, 3, belief)
    taken, found, images = imagine(state.params, carry, actions, 5, None, False)
    latent = rssm.Latent(belief["dyn/deter"], belief["dyn/stoch"].reshape(3, 2, 4))
    for step in range(5):
        vector = rssm.action_vector(config, actions[:, step])
        latent = rssm.imagine(values, config, latent, vector, None)
        np.testing.assert_allclose(found["dyn/deter"][:, step], latent.deter, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(found["dyn/stoch"][:, step], rssm.flat(latent.stoch))
    np.testing.assert_array_equal(taken, actions)
    assert images["image"].shape == (3, 5, 16, 16, 3) and images["image"].dtype == jnp.uint8


def test_a_belief_taken_from_acting_starts_a_dream_where_acting_stands(state):
    seen, carry = look(toy_agent.batch()), agent.start(state.params, 3)
    carry, action, found = act(state.params, carry, seen, None, False)
    belief = {name: found[name] for name in ("dyn/deter", "dyn/stoch")}
    for origin in (carry, agent.start(state.params, 3, belief)):
        first, dreamt, _ = imagine(state.params, origin, None, 1, None, False)
        np.testing.assert_array_equal(first[:, 0], action)


def test_an_update_keeps_every_type_so_that_nothing_is_compiled_twice():
    def init(key):
        return agent.init(toy_agent.tree(), toy_agent.SEEN, key)

    before = jax.eval_shape(init, KEY)
    after = jax.eval_shape(agent.train, before, toy_agent.batch(), KEY)[0]
    types = [
        [(leaf.shape, leaf.dtype, leaf.weak_type) for leaf in jax.tree.leaves(state)]
        for state in (before, after)
    ]
    assert types[0] == types[1]


def test_training_returns_the_belief_of_the_trained_rows():
    batch = toy_agent.batch()
    _, metrics, back = train(toy_agent.fresh(), batch, KEY)
    assert {name: value.shape for name, value in back.items() if name != "signal"} == {
        "dyn/deter": (3, 4, 8),
        "dyn/stoch": (3, 4, 8),
    }
    assert back["signal"]["kl"].shape == (3, 4)
    assert set(np.unique(back["dyn/stoch"])) == {0.0, 1.0}
    parts = ("rec", "rew", "con", "dyn", "rep", "policy", "value", "repval")
    scale = toy_agent.tree()["loss"]
    total = sum(scale[name] * float(metrics[f"loss/{name}"]) for name in parts)
    assert total == pytest.approx(float(metrics["loss/total"]), rel=1e-5)


def test_the_context_row_gives_belief_and_action_and_nothing_else():
    batch = toy_agent.batch()
    batch["is_first"][:, 1] = False
    _, _, plain = train(toy_agent.fresh(), batch, KEY)

    def changed(**values):
        other = {name: value.copy() for name, value in batch.items()}
        for name, value in values.items():
            other[name][:, 0] = value
        return train(toy_agent.fresh(), other, KEY)[2]

    same = changed(image=7, reward=50.0, is_first=True, is_last=True, is_terminal=True)
    np.testing.assert_array_equal(same["dyn/deter"], plain["dyn/deter"])
    moved = changed(action=(batch["action"][:, 0] + 1) % 6)
    assert np.all(np.any(moved["dyn/deter"][:, 0] != plain["dyn/deter"][:, 0], -1))
    batch["dyn/deter"] += 1.0
    assert np.any(train(toy_agent.fresh(), batch, KEY)[2]["dyn/deter"] != plain["dyn/deter"])


def test_the_slow_value_follows_the_value_after_its_step():
    state = toy_agent.fresh()
    before = jax.tree.map(np.array, state.params.values)
    after = train(state, toy_agent.batch(), KEY)[0].params.values
    name = "val/mlp/linear0/kernel"
    assert np.abs(after[name] - before[name]).max() > 1e-3
    wanted = 0.98 * before[f"slow{name}"] + 0.02 * np.asarray(after[name])
    np.testing.assert_allclose(after[f"slow{name}"], wanted, rtol=1e-5, atol=1e-7)
    assert int(after["slowval_count/value"]) == 1


def test_equal_seeds_train_equal_agents_bit_for_bit_and_the_loss_falls():
    losses, ends = [], []
    for _ in range(2):
        state = toy_agent.fresh()
        for step in range(40):
            state, metrics, _ = train(state, toy_agent.batch(), jax.random.fold_in(KEY, step))
            losses.append(float(metrics["loss/rec"]))
        ends.append(state.params.values)
    for name, value in ends[0].items():
        np.testing.assert_array_equal(value, ends[1][name])
    assert losses[39] < 0.97 * losses[0]


def test_training_in_bfloat16_stays_finite_with_float32_weights():
    state = toy_agent.fresh(toy_agent.FELT, dtype="bfloat16", **FELT)
    batch = toy_agent.batch(toy_agent.FELT)
    for step in range(3):
        state, metrics, back = train(state, batch, jax.random.fold_in(KEY, step))
    assert all(np.isfinite(value) for value in metrics.values())
    assert all(np.all(np.isfinite(value)) for value in state.params.values.values())
    kinds = {name: value.dtype for name, value in state.params.values.items()}
    assert kinds.pop("slowval_count/value") == jnp.int32
    assert set(kinds.values()) == {jnp.dtype("float32")}
    assert back["dyn/deter"].dtype == jnp.float32
    carry = agent.start(state.params, 3)
    carry, action, _ = act(state.params, carry, look(batch), KEY, True)
    assert carry.latent.deter.dtype == jnp.bfloat16 and np.all(np.isfinite(action))


def test_with_a_key_per_row_a_dream_does_not_depend_on_the_order_of_rows(state):
    keys, order = jax.random.split(KEY, 3), np.array([2, 0, 1])
    belief = {"dyn/deter": jnp.arange(24.0).reshape(3, 8) / 24, "dyn/stoch": jnp.ones((3, 8)) / 4}
    turned = {name: value[order] for name, value in belief.items()}
    ours, theirs = (agent.start(state.params, 3, one) for one in (belief, turned))
    actions, found, _ = imagine(state.params, ours, None, 5, keys, True)
    again, other, _ = imagine(state.params, theirs, None, 5, keys[order], True)
    np.testing.assert_array_equal(actions[order], again)
    np.testing.assert_array_equal(found["dyn/stoch"][order], other["dyn/stoch"])
