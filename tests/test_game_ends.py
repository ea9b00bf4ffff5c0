"""How the adapters of Atari and Procgen tell the ends of episodes, with stand-ins for the games."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dreamer.envs import atari, procgen


class Console:
    """`ale_py.ALEInterface`: a frame's brightness is its number; `lives` says them by frame."""

    lives_at = [3]

    def __init__(self):
        self.frame = 0

    setLoggerMode = staticmethod(lambda mode: None)  # noqa: N815
    setFloat = setInt = lambda self, name, value: None  # noqa: N815

    def loadROM(self, rom):  # noqa: N802
        self.frame = 0

    def act(self, action):
        self.frame += 1
        return 1.0

    def lives(self):
        return self.lives_at[min(self.frame, len(self.lives_at) - 1)]

    def game_over(self):
        return False

    def getMinimalActionSet(self):  # noqa: N802
        return [SimpleNamespace(name="NOOP")]

    def getScreenDims(self):  # noqa: N802
        return 2, 2

    def getScreenRGB(self):  # noqa: N802
        bright = 0 if self.frame % 4 == 0 else self.frame  # what flickers is off in a fourth frame
        return np.full((2, 2, 3), bright, np.uint8)


class Game:
    """`procgen.ProcgenGym3Env` that ends after `Game.steps` steps."""

    steps = 0

    def __init__(self, **_):
        self.done = 0

    def act(self, actions):
        self.done += 1

    def observe(self):
        image = np.zeros((1, 64, 64, 3), np.uint8)
        return np.ones(1), {"rgb": image}, np.array([self.done == self.steps])


@pytest.fixture
def console(monkeypatch):
    names = SimpleNamespace(get_all_rom_ids=lambda: ["pong"], get_rom_path=lambda name: name)
    package = SimpleNamespace(ALEInterface=Console, LoggerMode=SimpleNamespace(Error=0))
    monkeypatch.setitem(sys.modules, "ale_py", package)
    monkeypatch.setitem(sys.modules, "ale_py.roms", names)

    def make(by_frame, **more):
        monkeypatch.setattr(Console, "lives_at", by_frame)
        options = {"repeat": 4, "gray": False, "sticky": False, "actions": "needed"}
        env = atari.Atari({**options, "lives": "reset", "noops": 0, "length": 0, **more}, "pong")
        env.reset(seed=0)
        return env

    return make


def test_a_life_lost_after_one_was_won_ends_the_episode(console):
    env = console([3] * 4 + [4] * 4 + [3])
    assert [env.step(0)[2] for _ in range(2)] == [False, True]
    env = console([3] * 4 + [4] * 4 + [3], lives="unused")
    assert not any(env.step(0)[2] for _ in range(2))


def test_of_the_frames_of_an_action_the_last_two_are_joined_by_their_maximum(console):
    seen, reward, *_ = console([3]).step(0)
    assert (seen["image"] == 3).all() and reward == 4.0


def test_atari_is_cut_after_its_length_in_frames(console):
    env = console([3], length=6)
    assert [env.step(0)[1:4] for _ in range(2)] == [(4.0, False, False), (2.0, False, True)]


@pytest.mark.parametrize(
    "name, steps, by_time",
    [("coinrun", 1000, True), ("maze", 500, True), ("maze", 499, False), ("bigfish", 1500, False)],
)
def test_each_game_of_procgen_has_its_own_time_limit(name, steps, by_time, monkeypatch):
    package = SimpleNamespace(ProcgenGym3Env=Game)
    monkeypatch.setitem(sys.modules, "procgen", package)
    monkeypatch.setattr(Game, "steps", steps)
    env = procgen.Procgen(name, {"size": [64, 64], "levels": 0, "start": 0, "mode": "hard"})
    env.reset(seed=0)
    ends = [env.step(4)[2:4] for _ in range(steps)]
    assert ends[-1] == (not by_time, by_time) and not np.any(ends[:-1])
