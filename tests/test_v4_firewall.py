"""The agent's token sees the frame; the frame does not see the agent's token."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v4 import cache, dynamics, heads, masks
from tests import quick, tiny_v4, toy_v4

TOKEN = ("dyn/agent/base", "dyn/agent/task")
STEPS = 4


@pytest.fixture(scope="module")
def world():
    params = toy_v4.params(head__tasks=2)
    return params.values, params.config, tiny_v4.frames(params.config, STEPS)


def forward(values, config, frames, **more):
    """Compiled anew, as masks may have changed since."""
    return quick.jit(plain(config, frames, **more))(values)


def plain(config, frames, **more):
    return lambda values: dynamics.forward(values, config, taps=True, **frames, **more)


def other_token(values):
    return values | {name: values[name] + 1 for name in TOKEN}


def walled(values, config, frames):
    """Whether another agent token leaves every other activation as it is, bit for bit."""
    made = quick.jit(plain(config, frames))
    (clean, _, taps), (changed, _, other) = made(values), made(other_token(values))
    equal = [np.array_equal(taps[name], other[name]) for name in taps if "/agent" not in name]
    return np.array_equal(clean, changed) and all(equal)


def test_no_activation_beside_its_own_depends_on_the_agent_token(world):
    assert walled(*world)


def test_that_test_fails_without_the_mask(world, monkeypatch):
    monkeypatch.setattr(masks, "space", lambda slots, agent: np.ones((sum(slots),) * 2, bool))
    assert not walled(*world)


def test_without_its_token_the_model_predicts_the_same(world):
    clean, h, _ = forward(*world, agent=False)
    assert h is None
    np.testing.assert_allclose(clean, forward(*world)[0], rtol=1e-4, atol=1e-4)


def test_the_cached_path_has_the_same_wall(world):
    values, config, frames = world
    one = {name: x[:, 0] for name, x in frames.items()}

    @quick.jit
    def twice(values):
        memory = cache.start(config, tiny_v4.ROWS)
        _, _, memory = cache.step(values, config, memory, **one)
        return cache.step(values, config, memory, **one)[:2]

    (clean, h), (changed, other) = twice(values), twice(other_token(values))
    assert np.array_equal(clean, changed) and not np.allclose(h, other)


def test_the_token_learns_from_the_heads_alone_which_also_reach_the_transformer(world):
    values, config, frames = world
    shape = tiny_v4.ROWS, STEPS + config.head.mtp - 1
    data = {"reward": jnp.ones(shape), "go_on": jnp.ones(shape), "action": jnp.ones(shape, int)}
    data |= {f"{name}_known": jnp.ones(shape, bool) for name in list(data)}

    def predicted(values):
        return dynamics.forward(values, config, **frames)[0].sum()

    def said(values):
        found = heads.losses(values, config, dynamics.forward(values, config, **frames)[1], data)
        return sum(total.sum() for total, _ in found.values())

    slopes = quick.jit(jax.grad(predicted))(values)
    assert all(not slopes[name].any() for name in TOKEN)
    slopes = quick.jit(jax.grad(said))(values)
    assert slopes["dyn/agent/base"].any() and slopes["dyn/layer0/attend/kernel"].any()


@partial(quick.jit, static_argnums=1)
def once(values, config, frames):
    return dynamics.forward(values, config, **frames)[1]


@pytest.mark.parametrize("name", ["z", "level", "step", "action", "known"])
def test_the_state_depends_on_nothing_after_it(world, name):
    values, config, frames = world
    other = tiny_v4.changed(frames, name, slice(2, None), config)
    h, changed = (once(values, config, given) for given in (frames, other))
    assert np.array_equal(h[:, :2], changed[:, :2]) and not np.allclose(h[:, 2], changed[:, 2])


def test_tasks_differ_in_the_state_but_not_in_what_is_predicted(world):
    values, config, frames = world
    made = quick.jit(lambda task: dynamics.forward(values, config, **frames, task=task))
    one, two = made(0), made(1)
    assert np.array_equal(one[0], two[0]) and not np.allclose(one[1], two[1])
