"""Imagination of DreamerV4: what stands where in a rollout, and what learns from it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import distributions
from dreamer.v4 import cache, draws, heads, imagination, shortcut, steps
from dreamer.v4 import train_imagination as phase
from tests import quick, toy_v4

BATCH, HORIZON = 4, 3
PARAMS = toy_v4.params()
VALUES, CONFIG = PARAMS.values, PARAMS.config


def context(batch=BATCH, seed=0):
    """A batch of the phase; the first row's episode is one frame old."""
    rng = np.random.default_rng(seed)
    shape = batch, CONFIG.imag.context
    valid = np.ones(shape, bool)
    valid[0, :-1] = False
    z = rng.uniform(-1, 1, (*shape, CONFIG.tok.latents, CONFIG.tok.channels))
    led = rng.integers(0, toy_v4.ACTIONS, shape)
    return {"z": z.astype(np.float32), "led": led, "known": valid & valid, "valid": valid}


def counting(values, config, cache, action, keys):
    """A world whose state h holds the step in its first unit and the last action in its second."""
    h = jnp.zeros((len(keys), config.dyn.width)).at[:, 0].set(cache + 1).at[:, 1].set(action)
    return cache + 1, h, h[:, None], action


@quick.jit
def counted(values, h, keys, actions=None):
    """A rollout in that world."""
    start = jnp.zeros(len(keys)), h, keys, HORIZON, actions
    return imagination.rollout(values, CONFIG, *start, world=counting)


def test_a_rollout_stands_as_in_a_table_written_by_hand():
    h = jnp.zeros((2, CONFIG.dyn.width)).at[:, 1].set(9.0)  # led to by "action 9"
    keys = jax.random.split(jax.random.key(0), 2)
    actions = jnp.array([[1, 2, 3], [4, 0, 1]])
    found, clock = counted(VALUES, h, keys, actions)
    assert clock.tolist() == [HORIZON, HORIZON]
    assert found["h"][:, :, 0].tolist() == [[0, 1, 2, 3]] * 2
    assert found["h"][:, :, 1].tolist() == [[9, 1, 2, 3], [9, 4, 0, 1]]
    assert found["action"].tolist() == actions.tolist()


def test_the_first_action_is_the_policys_at_the_last_real_state():
    sure = VALUES | {"head/policy/out/bias": jnp.zeros(15).at[3].set(50.0)}
    keys = jax.random.split(jax.random.key(0), 2)
    h = jnp.zeros((2, CONFIG.dyn.width))
    found, _ = counted(sure, h, keys)
    assert (found["action"] == 3).all() and (found["h"][:, 1:, 1] == 3).all()


def test_rewards_come_with_the_next_state_and_the_last_value_is_of_the_last_state():
    h = jnp.asarray(np.random.default_rng(0).normal(size=(2, HORIZON + 1, CONFIG.dyn.width)))
    told = quick.jit(lambda h: imagination.outcomes(VALUES, CONFIG, h))
    found, each = told(h), [told(h[:, t : t + 2]) for t in range(HORIZON)]
    for t, one in enumerate(each):
        for name in ("reward", "go_on"):
            np.testing.assert_allclose(found[name][:, t], one[name][:, 0], rtol=2e-4, atol=1e-4)
    last = distributions.two_hot_mean(heads.value(VALUES, CONFIG, h[:, -1]))
    np.testing.assert_allclose(found["value"][:, -1], last, rtol=2e-4, atol=1e-4)


@partial(quick.jit, static_argnames="config")
def prepared(values, rows, key, config=CONFIG):
    return phase.prepare(values, config, rows | {"key": jax.random.split(key, len(rows["z"]))})


@pytest.fixture(scope="module")
def found():
    return prepared(VALUES, context(), jax.random.key(1))


def test_equal_keys_imagine_equal_bits_and_other_keys_something_else(found):
    again = prepared(VALUES, context(), jax.random.key(1))
    other = prepared(VALUES, context(), jax.random.key(2))
    assert all(np.array_equal(found[name], again[name]) for name in found)
    assert not np.allclose(found["h"], other["h"])


def test_frames_before_an_episode_leave_no_trace(found):
    rows = context()
    rows["z"][0, :-1] += 1
    rows["led"][0, :-1] = 0
    assert np.array_equal(prepared(VALUES, rows, jax.random.key(1))["h"], found["h"])
    rows["z"][1, :-1] += 1
    assert not np.allclose(prepared(VALUES, rows, jax.random.key(1))["h"][1], found["h"][1])


def test_a_frame_is_generated_without_commits_then_committed_at_the_level_of_past_frames():
    seen = []

    def step(values, config, memory, z, level, size, *rest, commit=True, **more):
        seen.append((int(level[0]), int(size[0]), commit))
        return z, z.sum((1, 2)), memory + commit

    keys = jax.random.split(jax.random.key(0), 2)
    with pytest.MonkeyPatch.context() as patch, jax.disable_jit():
        patch.setattr(cache, "step", step)
        patch.setattr(draws, "normal", lambda keys, shape: jnp.zeros((len(keys), *shape)))
        memory, *_ = imagination.generated(VALUES, CONFIG, 0, jnp.zeros(2, int), keys)
    rungs = CONFIG.dyn.rungs
    assert seen[:-1] == [(i * CONFIG.dyn.kmax // rungs, 2, False) for i in range(rungs)]
    assert seen[-1] == (CONFIG.context, CONFIG.finest, True) and memory == 1


def losses(values, found, learn=True):
    sums = imagination.sums(values, CONFIG, found, learn)
    return phase.terms(CONFIG, sums, 0)[1]


@pytest.mark.parametrize("name, head", [("policy", "head/policy"), ("value", "head/value")])
def test_each_loss_has_a_gradient_to_its_own_head_alone(found, name, head):
    mine = {key: x for key, x in VALUES.items() if key.startswith(("head", "prior"))}
    slopes = quick.jit(jax.grad(lambda values: losses(values, found)[name]))(mine)
    reached = {key.rsplit("/", 3)[0] if "mlp" in key else key.rsplit("/", 2)[0]
               for key, slope in slopes.items() if slope.any()}  # fmt: skip
    assert reached == {head}


def test_before_the_policy_learns_its_loss_is_nothing(found):
    assert quick.jit(partial(losses, learn=False))(VALUES, found)["policy"] == 0


def test_at_first_the_prior_is_the_policy_so_leaving_it_costs_nothing(found):
    begun = phase.begin(VALUES)

    def leaving(values):
        told = imagination.sums(values, CONFIG, found, True)
        return told["pmpo"]["kl"], told["told"]["kl"]

    mine = {key: x for key, x in begun.items() if key.startswith(("head", "prior"))}
    kl, slopes = quick.jit(jax.value_and_grad(leaving, has_aux=True))(mine)
    assert kl == (0, 0) and max(float(np.abs(slope).max()) for slope in slopes.values()) < 1e-5


@pytest.fixture(scope="module")
def trained():
    """(all parameters before, the trained ones after a few updates), with weight decay."""
    begun = phase.begin(VALUES)
    config = CONFIG._replace(imag=CONFIG.imag._replace(wd=0.1))
    mine, fixed = steps.split(phase.PHASE, begun)
    state = steps.fresh(phase.PHASE, config, mine)
    update = quick.jit(partial(steps.update, phase.PHASE, config, 1))
    for number in range(6):
        state, metrics = update(state, fixed, context(seed=number), jax.random.key(number))
        if number == 3:
            early = state.values
    return begun, fixed | state.values, early, metrics


def test_only_policy_and_value_ever_change(trained):
    begun, after, _, _ = trained
    changed = {name for name in begun if not np.array_equal(begun[name], after[name])}
    assert set(after) == set(begun)
    assert {name.split("/")[1] for name in changed} == {"policy", "value"}
    assert all(name.startswith("head/") for name in changed)
    assert not np.array_equal(after["head/policy/out/kernel"], after["prior/out/kernel"])


def test_while_the_value_warms_up_the_policy_stays(trained):
    begun, _, early, _ = trained
    assert CONFIG.imag.warmup_values == 4
    assert all(np.array_equal(early[name], begun[name]) for name in early if "policy" in name)
    assert not np.array_equal(early["head/value/out/kernel"], begun["head/value/out/kernel"])


def test_the_log_tells_what_must_be_watched(trained):
    metrics = trained[3]
    wanted = ("adv/positive", "kl", "ent/action", "return", "return_std", "value", "value_std",
              "value_explained", "reward", "continue", "action0", "action4")  # fmt: skip
    assert {f"imag/{name}" for name in wanted} <= set(metrics)
    assert {"loss/policy", "loss/value", "loss/total", "opt/grad_norm", "opt/lr"} <= set(metrics)
    assert sum(float(metrics[f"imag/action{index}"]) for index in range(5)) == pytest.approx(1)


def test_noise_of_the_context_is_drawn_per_row_so_its_place_does_not_matter():
    keys = jax.random.split(jax.random.key(0), 3)
    z = jnp.ones((3, 2, CONFIG.slots.spatial, CONFIG.packed))
    noise = quick.jit(partial(shortcut.noise_context, CONFIG))
    noised, turned = noise(z, keys), noise(z, keys[::-1])
    assert np.array_equal(noised, turned[::-1])
    assert draws.rows(keys, 3) is keys
