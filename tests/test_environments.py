"""Any Gymnasium environment can be played: what it shows, what it takes, what is refused."""

import re
import subprocess
import sys
from functools import partial

import gymnasium
import jax
import numpy as np
import pytest

from dreamer import driver, logged, options, replay, spaces, tasks
from dreamer.envs import vector
from dreamer.envs.adapter import Adapter
from dreamer.envs.observations import Observations
from dreamer.v3 import agent, rssm
from dreamer.v3 import config as configs
from jobs import closure
from jobs.errors import Refused
from tests import many_spaces, quick, toy_world

ENV = options.resolve(["gym"])["env"]
NAMES = ["body/touch", "left", "mode", "parts", "right", "speed"]


def made(name, **more):
    return Adapter(getattr(many_spaces, name)(), 3, **more)


def seen(name="Everything", **more):
    env = made(name, **more)
    return spaces.of(env.observation_space, env.action_space)


def test_observations_become_images_numbers_and_categories():
    found = dict(seen(size=(32, 48)).observation)
    assert list(found) == NAMES
    assert found["left"].shape == (32, 48, 1) and found["right"].shape == (32, 48, 3)
    assert found["speed"] == spaces.Space((3,), "float32")
    assert found["mode"] == spaces.Space((), "int32", 8)
    assert found["parts"] == spaces.Space((2,), "int32", 9, (), (2.0, 9.0))
    assert found["body/touch"].classes == 2 and found["body/touch"].shape == (4,)


def test_what_is_seen_lies_in_the_space_that_is_told():
    env = made("Everything", size=(32, 32))
    observation, info = env.reset()
    assert env.observation_space.contains(observation) and info == {}
    observation, *_, info = env.step(np.array([0, 4]))
    assert env.observation_space.contains(observation)
    assert observation["mode"] == 1 and (observation["right"] == 1).all()
    assert info == {"log_time": 1}


@pytest.mark.parametrize("kind", [tuple, list])
def test_parts_of_a_tuple_may_come_as_a_list(kind):
    parts = gymnasium.spaces.Tuple([gymnasium.spaces.Discrete(3), gymnasium.spaces.Box(0, 9, (2,))])
    found = Observations(parts)(kind([2, np.array([4, 5])]))
    assert found["0"] == 2 and found["1"].tolist() == [4, 5]


def test_a_single_observation_may_come_as_a_list():
    assert Observations(gymnasium.spaces.Box(0, 9, (2,)))([4, 5])["vector"].tolist() == [4, 5]


def test_observations_are_chosen_by_their_keys():
    assert list(made("Talking", keys="light").observation_space) == ["light"]
    with pytest.raises(Refused, match="keys is 'dark', which matches none of: light, word"):
        made("Talking", keys="dark")
    with pytest.raises(Refused, match=r"keys is '\(', but takes a regular expression"):
        made("Talking", keys="(")


def test_actions_are_turned_into_the_environments_own():
    env = made("Everything")
    env.reset()
    env.step(np.array([2, 4]))
    np.testing.assert_array_equal(env._env.taken[0], [3, 4])
    env = made("Driving")
    env.reset()
    env.step(np.array([0.5, -9, 7], np.float32))
    np.testing.assert_allclose(env._env.taken[0], [1.5, -4, 7])
    assert env.action_space.low.tolist() == [-1, -1, -np.inf]


def test_an_action_can_be_repeated_and_an_episode_cut():
    env = made("Everything", repeat=3)
    env.reset()
    rows = [env.step(env.action_space.sample()) for _ in range(3)]
    assert [row[1] for row in rows] == [3.0, 3.0, 1.0] and rows[-1][3]
    env = made("Everything", length=2)
    env.reset()
    assert [env.step(env.action_space.sample())[3] for _ in range(2)] == [False, True]


def test_an_episode_is_the_same_without_those_before_it():
    first, second = made("Everything"), made("Everything")
    shown = [first.reset()[0]["speed"] for _ in range(3)]
    np.testing.assert_array_equal(second.reset(options={"n_resets": 2})[0]["speed"], shown[2])
    assert second.n_resets == 3 and len({tuple(speed) for speed in shown}) == 3


def test_an_episode_that_is_cut_tells_what_changed_as_one_that_ends():
    for length in (2, 0):
        env = made("Walled", length=length)
        assert "terrain" in env.reset()[1]
        told = ["terrain_changed" in env.step(np.array([0, 0]))[4] for _ in range(length or 7)]
        assert told == [False] * (len(told) - 1) + [True]
    assert {"terrain", "terrain_changed"} < set(made("Walled", tile=2.0).world["absent"])
    assert "terrain" not in made("Walled", tile=2.0).reset()[1]


def test_positions_are_binned_and_what_is_not_told_is_absent():
    env = made("Placed", tile=2.5)
    assert env.world["area"] == [4, 2] and env.n_resets == 0
    assert "x" not in env.world["absent"]
    assert {"facing", "image", "terrain", "health"} < set(env.world["absent"])
    assert env.reset()[1]["position"].tolist() == [0, 1]
    assert env.step(np.array([0, 0]))[4]["position"].tolist() == [3, 0]
    assert {"x", "y"} < set(made("Everything").world["absent"])
    with pytest.raises(Refused, match="tells a position but not how large it is"):
        _ = made("Lost").world


HERE = {"position": (1, 1)}
UNSTEADY = {  # the words of a refusal: (facts at the reset, at the steps after it, more of `world`)
    "does not tell position in info at every step": (HERE, {}, {}),
    "does not tell achievements in info at every step": ({}, {}, {"achievements": ["a"]}),
    "does not tell terrain_changed in info at an episode's end": (
        {"terrain": np.zeros((10, 5))}, {}, {}),
    "terrain in info has the shape (5, 10), but by its world it takes (10, 5)": (
        {"terrain": np.zeros((5, 10))}, {}, {}),
    "achievements in info has the shape (2,), but by its world it takes (0,)": (
        {"achievements": [1, 2]}, {}, {}),
    "vitals in info has the shape (2,), but by its world it takes (4,)": (
        {"vitals": [1, 2]}, {}, {}),
    "facing must be an index into left, right, up, down": ({"facing": 0}, {"facing": 4}, {}),
    "on the tile [10, 1], outside of its area of 10 x 5 tiles": (HERE, {"position": (10, 1)}, {}),
    "on the tile [-1, 1], outside of": (HERE, {"position": (-0.5, 1)}, {}),
    "tells the position [nan, 1.0], which is no x and y": (HERE, {"position": (np.nan, 1)}, {}),
    "tells the position 3, which is no x and y": ({"position": 3}, {}, {}),
    "the area in the environment's world is (7,), not two sides": ({}, {}, {"area": (7,)}),
    "the environment's area is 5 x 40000 tiles, but recordings hold positions below 32,768": (
        HERE, {}, {"area": (5, 4e4)}),
}  # fmt: skip


@pytest.mark.parametrize("words", UNSTEADY)
def test_facts_that_no_recording_can_hold_are_refused_where_they_are_told(words, monkeypatch):
    begins, goes_on, more = UNSTEADY[words]
    told = {"begins": begins, "goes_on": goes_on, "world": {"area": (10, 5)} | more}
    for name, value in told.items():
        monkeypatch.setattr(many_spaces.Unsteady, name, value)
    with pytest.raises(Refused, match=re.escape(words)):
        env = made("Unsteady", length=2)
        env.reset()
        for _ in range(2):
            env.step(np.array([0, 0]))


def test_a_world_that_is_no_dict_says_nothing(monkeypatch):
    """LunarLander's is an object of its physics, and iterable."""
    monkeypatch.setattr(many_spaces.Unsteady, "world", (many_spaces.LIGHT,))
    assert made("Unsteady").world["area"] == [0, 0]


@pytest.mark.parametrize("name", ["action", "reward", "is_first", "info"])
def test_an_observation_that_is_called_as_another_part_of_a_step_is_refused(name):
    parts = gymnasium.spaces.Dict({name: gymnasium.spaces.Discrete(2), "b": many_spaces.LIGHT})
    with pytest.raises(Refused, match=f"an observation is called '{name}'"):
        Observations(parts)
    assert list(Observations(parts, "b").space) == ["b"]


def test_an_observation_of_another_size_than_its_space_is_refused():
    see = Observations(many_spaces.LIGHT)
    assert see([[4], [5]])["vector"].tolist() == [4, 5]
    with pytest.raises(Refused, match=r"'vector' has the shape \(3,\), but its space says \(2,\)"):
        see([4, 5, 6])


def test_several_categories_are_drawn_within_their_numbers():
    tree = options.resolve(["gym", "debug"])
    config = configs.freeze(tree, seen(size=(32, 32)))
    assert rssm.action_width(config) == 2 * 5
    np.testing.assert_array_equal(
        configs.possible(config.spaces.action), [[True] * 3 + [False] * 2, [True] * 5]
    )
    vectors = rssm.action_vector(config, np.array([[0, 4], [2, 0]]))
    assert vectors.shape == (2, 10) and (vectors.sum(-1) == 2).all()


@pytest.mark.parametrize("name", ["Everything", "Driving"])
def test_an_agent_acts_and_learns_with_every_kind_of_space(name):
    env = made(name, size=(32, 32))
    told = spaces.of(env.observation_space, env.action_space)
    tree = options.resolve(["gym", "debug"])
    state = quick.jit(partial(agent.init, tree, told))(jax.random.key(0))
    rng, shape = np.random.default_rng(0), (2, 5)
    batch = {}
    for key, space in (*told.observation, ("action", told.action)):
        top = np.array(space.high).reshape(space.shape) if space.high else space.classes
        draw = rng.integers(top, size=(*shape, *space.shape)) if space.classes else None
        draw = rng.normal(size=(*shape, *space.shape)) if draw is None else draw
        batch[key] = draw.astype(
            "float32" if key == "action" and not space.classes else space.dtype
        )
    batch |= {name: np.zeros(shape, bool) for name in ("is_first", "is_last", "is_terminal")}
    batch["reward"] = np.ones(shape, np.float32)
    batch |= {"dyn/deter": np.zeros((2, 8), np.float32), "dyn/stoch": np.zeros((2, 8), np.float32)}
    state, metrics, _ = quick.jit(agent.train)(state, batch, jax.random.key(1))
    assert np.isfinite(list(metrics.values())).all()
    assert {f"loss/{key}" for key in NAMES} < set(metrics)
    assert 0 < metrics["rand/action"] <= 1.0001
    observation = {key: batch[key][:, 0] for key, _ in told.observation}
    observation["is_first"] = np.ones(2, bool)
    carry = agent.start(state.params, 2)
    act = quick.jit(partial(agent.act, sample=True))
    action = act(state.params, carry, observation, jax.random.key(2))[1]
    assert action.shape == (2, *told.action.shape)
    for one in np.asarray(action):  # the environment clips numbers
        env.reset()
        env.step(one)


def test_log_keys_are_logged_and_never_stored():
    envs = toy_world.in_process("tests.many_spaces:Everything", ENV, 2, 0)
    told = spaces.of(envs.single_observation_space, envs.single_action_space)
    assert "log_energy" not in replay.kinds(told, [])[0].names
    steps = driver.Driver(envs, lambda *_: (None, np.zeros((2, 2), np.int32), {}), None, 0)
    notes = logged.Logged(2)
    for _ in range(2 * (many_spaces.LENGTH + 1)):
        notes.add(steps.step())
    assert notes.episode(1) == {
        **{"log_energy/mean": 3.5, "log_energy/max": 7, "log_energy/sum": 28},
        **{"log_time/mean": 4, "log_time/max": 7, "log_time/sum": 28},
    }


def test_words_for_the_logs_are_left_out():
    told = np.array(["left", None, np.bool_(True)], object)
    notes = logged.Logged(3)
    notes.add({"is_first": [True] * 3, "info": {"log_way": told}})
    assert notes.episode(0) == notes.episode(1) == {}
    assert notes.episode(2) == {"log_way/mean": 1.0, "log_way/max": 1.0, "log_way/sum": 1.0}


def test_the_policy_is_not_shown_what_is_for_the_logs():
    envs = toy_world.in_process("tests.many_spaces:Everything", ENV, 2, 0)
    shown = []

    def policy(carry, observation, keys):
        shown.append(sorted(observation))
        return carry, np.zeros((2, 2), np.int32), {}

    row = driver.Driver(envs, policy, None, 0).step()
    assert shown == [sorted([*NAMES, "is_first"])] and "log_energy" not in row
    assert row["info"]["log_energy"].tolist() == [0, 0]


def test_episodes_follow_each_other_by_the_step_after_the_last(tmp_path):
    envs = vector.make("gym_CartPole-v1", {"gym": {"length": 3}}, 1, 0)
    envs.reset()
    steps = [envs.step(np.array([1])) for _ in range(5)]
    assert [bool(step[3][0]) for step in steps] == [False, False, True, False, False]
    assert steps[3][1][0] == 0.0 and envs.get_attr("n_resets") == (2,)


REFUSED = {
    "atari": "there is no environment 'atari'; add a name: atari_NAME",
    "crafer": "there is no environment 'crafer'; did you mean 'crafter'",
    "xyz": "there is no environment 'xyz'; there are crafter, square, gym_NAME",
    "gym_CartPool-v1": "there is no Gymnasium environment 'CartPool-v1'",
    "no_such_folder/world.py:World": "there is no file no_such_folder/world.py",
    "/etc/hostname.py:World": "there is no file /etc/hostname.py",
    "tests.nowhere:World": "there is no module tests.nowhere",
    "tests.many_spaces:Nothing": "tests.many_spaces has no Nothing",
    "tests.many_spaces:LENGTH": "LENGTH is no class",
    "tests.many_spaces:Talking": "observation 'word' is a Text space",
    "tests.many_spaces:": "takes module:Class or file.py:Class",
    "tests.many_spaces:Broken": "Broken() fails: ZeroDivisionError in ",
    "tests.broken_world:World": "tests.broken_world fails: ModuleNotFoundError in ",
    "gym_no_such_module:World-v0": "there is no Gymnasium environment 'no_such_module:World-v0'",
}


@pytest.mark.parametrize("task", REFUSED)
def test_what_cannot_be_played_is_refused_in_a_sentence(task):
    with pytest.raises(Refused, match=re.escape(REFUSED[task])):
        vector.make(task, ENV, 1, 0)


def test_an_id_may_name_the_module_that_registers_it():
    env = vector.make("gym_tests.registered_world:Late-v0", ENV, 1, 0)
    assert env.single_action_space.shape == (2,)
    env.close()


def test_an_action_of_another_kind_is_refused():
    class Odd(many_spaces.Everything):
        action_space = gymnasium.spaces.Dict(a=gymnasium.spaces.Discrete(2))

    with pytest.raises(Refused, match="the action is a Dict space"):
        Adapter(Odd(), 0)


BAD = {
    "unknown task": ["--task", "atary_pong"],
    "keys that match nothing": ["--task", "gym_CartPole-v1", "--enc.keys", "^pixels$"],
    "size": ["--task", "gym_CartPole-v1", "--env.gym.size", "[64]"],
    "unsupported observation": ["--task", "tests.many_spaces:Talking"],
}


@pytest.mark.parametrize("flags", BAD.values(), ids=BAD)
def test_the_command_says_it_in_one_line_and_exits_with_2(flags, tmp_path):
    command = [sys.executable, "-m", "dreamer.train", "--configs", "gym", "debug"]
    command += ["--run-dir", tmp_path / "run", *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_no_family_is_part_of_a_training_on_crafter():
    made = {
        path.name for path in closure.sources("dreamer.train", *tasks.find("crafter").modules())
    }
    assert "vector.py" in made
    assert not made & {"gym.py", "adapter.py", *(f"{name}.py" for name in tasks.SUITES)}


def test_what_decides_an_environment_is_told_with_its_training():
    assert tasks.find("crafter").packages() == []
    assert tasks.find("gym_CartPole-v1").packages()[0] == "gymnasium"


def test_a_suite_is_found_by_the_longest_prefix():
    assert tasks.find("atari_pong")[:3] == ("dreamer.envs.atari", "atari", "pong")
    assert tasks.find("atari100k_pong")[:3] == ("dreamer.envs.atari", "atari100k", "pong")
    assert tasks.find("memory_maze_9x9").name == "9x9"
    assert tasks.find("tests.toy_world") == tasks.Task("tests.toy_world", "tests.toy_world")
    own = tasks.find("examples/own_environment.py:Corridor")
    assert own.modules() == ["dreamer.envs.gym", "examples.own_environment"]


def test_the_own_world_ends_for_who_never_finds_the_lamp():
    """An agent's most probable actions may be one and the same; its evaluation has to end."""
    env = vector.build("examples/own_environment.py:Corridor", ENV["gym"], 0, 0, 0)
    for _ in range(4):
        env.reset()
        assert any(any(env.step(0)[2:4]) for _ in range(100))
    with open(closure.ROOT / "examples/own_environment.py") as file:
        assert len(file.readlines()) <= 25
