"""The driver: rows are aligned, episodes do not depend on their neighbours, playing can go on."""

import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dreamer.driver import Driver
from tests import toy_dreamer, toy_world


def make_envs(count):
    makers = [lambda seed=seed: toy_world.make({}, 0, seed) for seed in range(count)]
    return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.NEXT_STEP)


@jax.jit
def policy(carry, observation, keys):
    params = toy_dreamer.init({}, None, None).params
    return toy_dreamer.act(params, carry, observation, keys, True)


def make_driver(count, episodes=None):
    envs = make_envs(count)
    if episodes is not None:
        envs.set_attr("n_resets", episodes)
    params = toy_dreamer.init({}, None, None).params
    return Driver(envs, policy, toy_dreamer.start(params, count), 0, episodes)


def play(driver, steps):
    rows = [driver.step() for _ in range(steps)]
    names = [name for name in rows[0] if name != "info"]
    return {name: np.stack([row[name] for row in rows]) for name in names}


def test_an_action_leads_from_its_row_to_the_next():
    rows = play(make_driver(3), 40)
    position = rows["image"][:, :, 0, 0, :2].astype(int)
    moved = np.diff(position, axis=0)
    asked = toy_world.MOVES[rows["action"][:-1]]
    inside = ~rows["is_first"][1:]
    assert ((moved == asked) | (moved == 0))[inside].all() and (moved != 0)[inside].any()


def test_after_the_last_row_of_an_episode_comes_the_first_of_the_next():
    rows = play(make_driver(3), 40)
    assert rows["is_first"][0].all() and rows["is_last"].sum() > 3
    np.testing.assert_array_equal(rows["is_first"][1:], rows["is_last"][:-1])
    assert not rows["reward"][rows["is_first"]].any()
    assert (rows["is_terminal"] <= rows["is_last"]).all()


def test_activations_come_from_the_observation_of_their_own_row():
    rows = play(make_driver(2), 20)
    np.testing.assert_array_equal(rows["dyn/deter"][:, :, :2], rows["image"][:, :, 0, 0, :2])


def test_an_episode_does_not_depend_on_what_was_played_before_it_or_beside_it():
    whole = play(make_driver(2), 40)
    first = np.flatnonzero(whole["is_first"][:, 0])
    alone = play(make_driver(1, episodes=[1]), first[2] - first[1])
    for name in ("action", "image", "dyn/deter"):
        np.testing.assert_array_equal(alone[name][:, 0], whole[name][first[1] : first[2], 0])


@pytest.mark.parametrize("stop", range(1, 16))
def test_playing_continues_bit_for_bit_after_any_step(stop):
    driver = make_driver(3)
    play(driver, stop)
    position, carry = driver.position(), driver.carry
    expected = play(driver, 20)
    resumed = make_driver(3)
    resumed.carry = carry
    resumed.resume(position)
    for name, values in play(resumed, 20).items():
        np.testing.assert_array_equal(values, expected[name])
