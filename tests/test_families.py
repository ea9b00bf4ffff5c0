"""Each family of environments plays the same from the same seed; where it is missing, it says so.

Two processes of their own play each environment, because old packages warn when imported.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamer import options
from dreamer.envs import drawing, extras, vector
from jobs.errors import Refused

ROOT = Path(__file__).parent.parent
STEPS = 1000
TASKS = {
    "gym_CartPole-v1": ("gym", STEPS),
    "gym_Pendulum-v1": ("gym", STEPS),
    "gym_LunarLander-v3": ("box2d", STEPS),
    "gym_CarRacing-v3": ("box2d", 200),  # fifteen steps a second
    "atari_pong": ("atari", STEPS),
    "atari100k_alien": ("atari100k", STEPS),
    "dmc_walker_walk": ("dmc_proprio", STEPS),
    "dmc_cup_catch": ("dmc_vision", 100),  # drawn by the processor
    "minigrid_FourRooms-v0": ("minigrid", STEPS),
    "bsuite_catch/0": ("bsuite", STEPS),
    "bsuite_cartpole_noise/3": ("bsuite", STEPS),
    "procgen_coinrun": ("procgen", STEPS),
    "memory_maze_9x9": ("memory_maze", 100),
    "loconav_ant_maze_s": ("loconav", 50),
}


def play(task, hash_seed):
    """What `tests.family_play` prints in a process of its own."""
    configs, steps = TASKS[task]
    done = subprocess.run(
        [sys.executable, "-m", "tests.family_play", task, configs, str(steps)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_bytes_in_two_processes(task):
    first = play(task, "0")
    if "refused" in first:
        assert ": make env-" in first["refused"]
        pytest.skip(first["refused"])
    assert first == play(task, "1")


def test_minigrid_can_keep_one_layout_with_starts_anywhere():
    pytest.importorskip("minigrid", reason="MiniGrid is not installed (make env-minigrid)")
    changed = {"task": "minigrid_FourRooms-v0", "env.minigrid.fixed_seed": True}
    block = options.resolve(["minigrid"], changed)["env"]["minigrid"]
    one, other = (vector.build(changed["task"], block, 3, 7, index) for index in range(2))
    found = [env.reset()[1] for env in (one, one, one, other)]
    assert all((info["terrain"] == found[0]["terrain"]).all() for info in found)
    assert len({tuple(info["position"]) for info in found}) > 1
    again = one.reset(options={"n_resets": 1})[1]
    np.testing.assert_array_equal(again["position"], found[1]["position"])


@pytest.mark.parametrize("name", ["MultiRoom-N4-S5-v1", "GoToDoor-8x8-v0", "KeyCorridorS3R2-v0"])
def test_starts_in_a_kept_layout_of_minigrid_lie_in_its_rooms(name):
    pytest.importorskip("minigrid", reason="MiniGrid is not installed (make env-minigrid)")
    block = options.resolve(["minigrid"])["env"]["minigrid"] | {"fixed_seed": True}
    for seed in range(3):
        env = vector.build(f"minigrid_{name}", block, seed, seed, 0)
        edges = [env.world["materials"].index(name) for name in ("wall", "door")]
        for _ in range(12):
            info = env.reset()[1]
            (x, y), edge = info["position"], np.isin(info["terrain"], edges)
            ways = (edge[:x, y], edge[x + 1 :, y], edge[x, :y], edge[x, y + 1 :])
            assert all(way.any() for way in ways), "outside, where a step ends in an error"


@pytest.mark.parametrize("family", ["atari", "bsuite", "dmc", "memory_maze", "minigrid", "procgen"])
def test_a_missing_family_names_the_command_that_installs_it(family, monkeypatch):
    monkeypatch.setitem(sys.modules, "no_such_package", None)
    with pytest.raises(Refused, match=f"are not installed .*; run: make env-{family}"):
        extras.load("no_such_package", family)
    assert (ROOT / f"envs/env-{family}.lock.txt").is_file()
    targets = (ROOT / "Makefile").read_text().split("FAMILIES := ")[1].split("\n")[0]
    assert family in targets.split()


def test_a_camera_that_is_not_there_is_refused_with_those_that_are():
    class Model:
        ncam = 2

        def id2name(self, index, kind):
            return f"{kind} {index}"

    class Physics:
        model = Model()

    for known in (0, "camera 1"):
        drawing.check_camera(Physics(), known, "option")
    with pytest.raises(Refused, match="env.dmc.camera is 'up', but the cameras here are camera 0"):
        drawing.check_camera(Physics(), "up", "option env.dmc.camera")
