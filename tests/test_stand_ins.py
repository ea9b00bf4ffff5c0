"""Adapters of packages that do not install here, played with stand-ins that speak their interface.

The stand-ins follow the packages' documentation; the real ones are untested.
"""

import sys
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest

from dreamer import options, tasks
from dreamer.envs import minecraft, vector
from jobs.errors import Refused


class Lab:
    """`deepmind_lab.Lab`: a level of 10 frames whose picture is the seed."""

    def __init__(self, level, observations, config):
        if "no_such" in level:
            raise RuntimeError("Invalid level")
        assert level.startswith("contributed/dmlab30/") and observations == ["RGB_INTERLEAVED"]
        self.shape = int(config["height"]), int(config["width"]), 3

    def reset(self, seed):
        self.frames, self.seed = 0, seed

    def is_running(self):
        return self.frames < 10

    def step(self, action, num_steps):
        assert self.is_running() and action.dtype == np.intc and action.shape == (7,)
        self.frames += num_steps
        return 1.0

    def observations(self):
        return {"RGB_INTERLEAVED": np.full(self.shape, self.seed % 256, np.uint8)}


class MineRL:
    """An environment of `minerl`: crafting a plank turns a log into four."""

    observation_space = SimpleNamespace(
        spaces={"inventory": SimpleNamespace(spaces={"log": None, "planks": None, "dirt": None})}
    )
    action_space = SimpleNamespace(noop=lambda: {"attack": 0, "jump": 0, "craft": "none"})

    def seed(self, seed):
        self.seeded = seed

    def reset(self):
        self.items, self.taken = {"log": 0, "planks": 0, "dirt": 0}, []
        return self.look()

    def step(self, action):
        self.taken.append(action)
        self.items["log"] += action["attack"]
        if action["craft"] == "planks" and self.items["log"]:
            self.items["log"] -= 1
            self.items["planks"] += 4
        return self.look(), 0.0, len(self.taken) == 40, {"TimeLimit.truncated": True}

    def look(self):
        return {"pov": np.zeros((64, 64, 3), np.uint8), "inventory": dict(self.items)}


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setitem(sys.modules, "deepmind_lab", SimpleNamespace(Lab=Lab))
    monkeypatch.setitem(sys.modules, "minerl", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "gym", SimpleNamespace(make=lambda name: MineRL()))


def made(task, **more):
    tree = options.resolve([task.split("_")[0]], {"task": task, **more})
    return vector.build(task, tasks.options(tree), 0, 0, 0)


def act(env, name):
    return env.step(env.world["actions"].index(name))


def test_a_level_of_dmlab_is_played(stand_ins):
    env = made("dmlab_explore_goal_locations_small")
    first, second = (env.reset(options={"n_resets": 3})[0]["image"] for _ in range(2))
    assert first.shape == (64, 64, 3) and (first == second).all()
    rows = [act(env, "forward") for _ in range(3)]
    assert [row[1] for row in rows] == [1.0] * 3
    assert [row[3] for row in rows] == [False, False, True] and not rows[-1][2]
    with pytest.raises(Refused, match="DeepMind Lab has no level 'no_such'"):
        made("dmlab_no_such")


def test_minecraft_rewards_each_item_once_and_holds_blows_on(stand_ins):
    env = made("minecraft_diamond")
    seen, info = env.reset()
    assert env.observation_space.contains(seen) and not info["achievements"].any()
    assert act(env, "attack")[1] == 1.0  # a log
    assert act(env, "craft_planks")[1] == 1.0  # while the blow goes on
    seen, reward, *_, info = act(env, "craft_planks")
    assert reward == 0.0 and info["achievements"][:2].all() and info["achievements"].sum() == 2
    taken = env._env._game.taken
    assert [action["attack"] for action in taken] == [1, 1, 1]
    assert [action["craft"] for action in taken] == ["none", "planks", "planks"]
    for _ in range(27):
        act(env, "noop")
    assert [action["attack"] for action in taken][-1] == 1
    act(env, "noop")
    assert taken[-1]["attack"] == 0


def test_the_head_turns_no_further_than_it_can(stand_ins):
    env = made("minecraft_diamond")
    env.reset()
    for _ in range(6):
        act(env, "turn_up")
    turned = [float(action["camera"][0]) for action in env._env._game.taken]
    assert turned == [-15.0] * 4 + [0.0] * 2
    assert minecraft.PITCH == 60 and isinstance(env.action_space, gymnasium.spaces.Discrete)


def test_an_episode_of_minecraft_is_cut_by_the_option_length(stand_ins):
    env = made("minecraft_diamond", **{"env.minecraft.length": 5})
    env.reset()
    assert [act(env, "noop")[3] for _ in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize("task", ["dmlab_x", "minecraft_diamond"])
def test_without_the_package_there_is_a_sentence(task, monkeypatch):
    for name in ("deepmind_lab", "minerl"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Refused, match="docs/environments.md says how"):
        made(task)
