"""Environments side by side play what each would play alone, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dreamer import options
from dreamer.envs import vector
from jobs.errors import Refused

ROOT = Path(__file__).parent.parent
COUNT, LENGTH = 3, 25
ENV = options.resolve(
    ["crafter_small"], {"env.crafter.area": [24, 24], "env.crafter.length": LENGTH}
)["env"]
OTHER_WORLDS = {"crafter": {**ENV["crafter"], "fixed_seed": False}}
ACTIONS = np.random.default_rng(0).integers(17, size=(60, COUNT))
MAIN = """
import os, sys
print("imported", flush=True)
from dreamer import options
from dreamer.envs import vector
if __name__ == "__main__":
    tree = options.resolve(["crafter_small"])
    envs = vector.make("crafter", tree["env"], 2, seed=0)
    envs.reset()
    print(*(process.pid for process in envs.processes), flush=True)
    exec(sys.argv[1])
"""
ENDINGS = {"os.kill(os.getpid(), 9)": -9, "envs.close(terminate=True)": 0, "": 0}


@pytest.fixture(scope="module")
def envs():
    envs = vector.make("crafter", ENV, COUNT, seed=0, spawn_seed=7)
    yield envs
    envs.close()
    assert not any(process.is_alive() for process in envs.processes)


def play(envs, actions):
    """Rows of the vector's five values, the first from a reset after none before."""
    envs.set_attr("n_resets", [0] * envs.num_envs)
    observation, info = envs.reset()
    still = np.zeros(envs.num_envs)
    rows = [(observation, still, still.astype(bool), still.astype(bool), info)]
    return rows + [envs.step(action) for action in actions]


def alone(index):
    """The same environment by itself, a vector of one."""
    envs = vector.make("crafter", ENV, 1, seed=0, spawn_seed=7)
    envs.envs[0] = vector.build("crafter", ENV["crafter"], 0, 7, index)
    return envs


def test_each_environment_plays_what_it_would_play_alone(envs):
    together = play(envs, ACTIONS)
    for index in range(COUNT):
        single = play(alone(index), ACTIONS[:, index : index + 1])
        for ours, theirs in zip(together, single, strict=True):
            np.testing.assert_array_equal(ours[0]["image"][index], theirs[0]["image"][0])
            assert [value[index] for value in ours[1:4]] == [value[0] for value in theirs[1:4]]
            for name in ("position", "facing", "vitals", "achievements"):
                np.testing.assert_array_equal(ours[4][name][index], theirs[4][name][0])


def test_the_step_after_the_last_one_is_the_next_episodes_first(envs):
    rows = play(envs, ACTIONS)
    ends = [index for index, row in enumerate(rows) if row[3].all()]
    assert ends == [LENGTH, 2 * LENGTH + 1]
    for end in ends:
        last, first = rows[end], rows[end + 1]
        assert last[4]["_terrain_changed"].all() and "terrain" not in last[4]
        assert first[4]["_terrain"].all() and "terrain_changed" not in first[4]
        assert not first[1].any() and not first[2].any() and not first[3].any()


def test_a_fixed_world_is_one_world_for_all_with_a_spawn_for_each(envs):
    info = play(envs, [])[0][4]
    assert (info["terrain"] == info["terrain"][0]).all()
    assert len({tuple(place) for place in info["position"].tolist()}) == COUNT


def test_worlds_differ_between_environments_and_seeds_where_not_fixed():
    terrains = [
        vector.build("crafter", OTHER_WORLDS["crafter"], seed, 7, index).reset()[1]["terrain"]
        for seed in (0, 1)
        for index in range(COUNT)
    ]
    assert len({terrain.tobytes() for terrain in terrains}) == 2 * COUNT


def test_the_spawn_seed_changes_spawns_and_not_worlds():
    info = [vector.make("crafter", ENV, 1, 0, spawn).reset()[1] for spawn in (None, 0, 1000)]
    assert (info[0]["terrain"] == info[2]["terrain"]).all()
    assert (info[0]["position"] == info[1]["position"]).all()
    assert (info[0]["position"] != info[2]["position"]).any()


def test_seeds_are_the_same_with_every_python():
    assert [vector.stream(seed, index) for seed, index in ((0, 0), (0, 1), (1000, 3))] == [
        2723239835,
        3857811390,
        1335808078,
    ]


def test_the_first_reset_can_be_any_of_the_sequence(envs):
    sequence = [row[4]["position"] for row in play(envs, ACTIONS) if "terrain" in row[4]]
    envs.set_attr("n_resets", [2, 0, 1])
    position = envs.reset()[1]["position"]
    for index, number in enumerate([2, 0, 1]):
        np.testing.assert_array_equal(position[index], sequence[number][index])
    single = vector.make("crafter", ENV, 1, 0, 7, first=[2])
    np.testing.assert_array_equal(single.reset()[1]["position"][0], sequence[2][0])


def test_the_world_is_known_without_a_step(envs):
    assert vector.world(envs) == vector.world(vector.make("crafter", ENV, 1, 0))
    assert vector.world(envs)["area"] == [24, 24]


def test_signals_to_the_workers_leave_stopping_to_the_parent(envs):
    for process in envs.processes:
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
    assert len(play(envs, ACTIONS[:5])) == 6


def test_starting_workers_leaves_the_parent_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before, main = dict(os.environ), sys.modules["__main__"]
    with vector.light_children():
        assert {os.environ[name] for name in vector.THREADS} == {"1"}
    assert dict(os.environ) == before and sys.modules["__main__"] is main


@pytest.mark.parametrize("ending", ENDINGS)
def test_workers_skip_the_command_and_end_with_it_however_it_ends(tmp_path, ending):
    (tmp_path / "command.py").write_text(MAIN)
    done = subprocess.run(
        [sys.executable, tmp_path / "command.py", ending],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == ENDINGS[ending] and "Traceback" not in done.stderr
    imported, pids = done.stdout.splitlines()
    assert imported == "imported"
    assert not any(alive(int(pid)) for pid in pids.split())


def alive(pid, patience=10.0):
    end = time.monotonic() + patience
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    return Path(f"/proc/{pid}").exists()


def test_an_unknown_environment_and_bad_options_are_refused():
    with pytest.raises(Refused, match="there is no environment 'xyz'; there are crafter"):
        vector.make("xyz", ENV, 1, 0)
    with pytest.raises(Refused, match="egocentric_view is 4"):
        vector.make("crafter", {"crafter": {**ENV["crafter"], "egocentric_view": 4}}, 2, 0)
