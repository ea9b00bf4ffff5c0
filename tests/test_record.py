"""Recording: rows are aligned, episodes are fixed beforehand, a kill loses nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from dreamer import checkpoint, distinct, png, record, recorder, trajectory
from dreamer.driver import Driver
from dreamer.envs import crafter, vector
from jobs import cli, closure, files, specs
from jobs.errors import Refused
from tests import toy_checkpoint, toy_world

IN_WORKERS = vector.make
FAST = {"record.envs": 3, "record.episodes": 7, "record.test_episodes": 5, "record.cap": 8}
PLACE = ["episode", "step", "x", "y", "facing", "action"]


@pytest.fixture(scope="module", autouse=True)
def in_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.vector, "make", toy_world.in_process)
        yield


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_checkpoint.save(tmp_path_factory.mktemp("agent") / "checkpoint.safetensors")


@pytest.fixture(scope="module")
def recorded(toy, tmp_path_factory):
    """(trajectory, test trajectory) of the toy agent."""
    folder = tmp_path_factory.mktemp("recorded")
    return make(toy, folder)


def make(path, folder, **changes):
    flags = FAST | {f"record.{name}": value for name, value in changes.items()}
    made = folder / "trajectory.parquet", folder / "trajectory_test.parquet"
    record.main(path, *made, overrides=flags)
    return made


def episodes(path, columns):
    """[{column: [T, ...]}] per episode, in the order of the file."""
    read = trajectory.read(path, columns)
    starts = np.flatnonzero(read["step"] == 0)[1:]
    split = {name: np.split(values, starts) for name, values in read.items()}
    return [{name: split[name][index] for name in split} for index in range(len(starts) + 1)]


def test_everything_in_a_row_belongs_to_the_same_moment(recorded):
    names = [*PLACE, "reward", "image", "dyn/deter", "dyn/stoch", "enc/wide", "pol/clock"]
    for rows in episodes(recorded[0], names):
        facing = np.array([trajectory.FACINGS.index(name) for name in rows["facing"]])
        pixels = np.array([png.decode(image)[0, 0] for image in rows["image"]])
        state = np.stack([rows["x"], rows["y"], facing], 1)
        np.testing.assert_array_equal(pixels, state)
        np.testing.assert_array_equal(rows["dyn/deter"][:, :3], state)
        np.testing.assert_array_equal(rows["dyn/stoch"].argmax(1), rows["x"] * 5 + rows["y"])
        np.testing.assert_array_equal(rows["pol/clock"][:, 0], rows["step"])
        np.testing.assert_array_equal(rows["reward"][1:], facing[1:])


def test_an_action_is_chosen_after_its_row_and_leads_to_the_next(recorded):
    for rows in episodes(recorded[0], PLACE):
        position = np.stack([rows["x"], rows["y"]], 1)
        goal = (position + toy_world.MOVES[rows["action"]])[:-1]
        blocked = ~toy_world.free()[tuple(goal.T)]
        np.testing.assert_array_equal(position[1:], np.where(blocked[:, None], position[:-1], goal))


def test_flags_mark_the_ends_and_death_alone_is_terminal(recorded):
    for rows in episodes(recorded[0], ["step", "is_first", "is_last", "is_terminal", "reward"]):
        last = rows["step"] == len(rows["step"]) - 1
        np.testing.assert_array_equal(rows["is_first"], rows["step"] == 0)
        np.testing.assert_array_equal(rows["is_last"], last)
        assert rows["reward"][0] == 0 and not rows["is_terminal"][:-1].any()
        assert rows["is_terminal"][-1] or last.sum() == 1 and len(last) == 14


def test_exactly_the_first_episodes_are_recorded_however_long_they_are(recorded):
    found = episodes(recorded[0], PLACE)
    assert [rows["episode"][0] for rows in found] == list(range(7))
    for index, rows in enumerate(found):
        spawn_seed = vector.stream(1000, index % 3)
        rng = np.random.default_rng([spawn_seed, index // 3])
        assert (rows["x"][0], rows["y"][0]) == (rng.integers(1, 6), rng.integers(1, 4))
        assert len(rows["x"]) == min(int(rng.integers(6, 15)), 13) + 1


def test_terrain_and_counts_are_kept_with_each_episode(recorded):
    grids = trajectory.terrain(recorded[0])
    assert len(grids) == 7
    for grid, changed in grids.values():
        np.testing.assert_array_equal(grid, toy_world.free())
        assert not changed.any()
    turns = episodes(recorded[0], ["step", "achievement_turn"])[0]["achievement_turn"]
    assert turns[0] == 0 and (np.diff(turns) >= 0).all()


def test_the_same_seeds_give_the_same_bytes_in_workers_too(toy, recorded, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(record.vector, "make", IN_WORKERS)
    for again, first in zip(make(toy, tmp_path), recorded, strict=True):
        assert again.read_bytes() == first.read_bytes()


def test_the_test_recording_holds_other_episodes(recorded):
    train, test = (
        {rows["x"].tobytes() + rows["action"].tobytes() for rows in episodes(path, PLACE)}
        for path in recorded
    )
    assert len(train) == 7 and len(test) == 5 and not train & test


def test_an_interrupted_recording_continues_to_the_same_bytes(toy, recorded, tmp_path, monkeypatch):
    step, calls, saved = Driver.step, [], []
    save = recorder.Parts.save

    def stop(self):
        calls.append(0)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Driver, "step", stop)
    monkeypatch.setattr(
        recorder.Parts, "save", lambda *words: (saved.append(words[1]), save(*words))
    )
    with pytest.raises(KeyboardInterrupt):
        make(toy, tmp_path)
    early = list(saved)
    assert 0 < len(early) < 7
    assert not list(tmp_path.glob("*.parquet"))
    assert len(list(tmp_path.glob("trajectory.work/parts-*/*.parquet"))) == len(early)
    made = make(toy, tmp_path)
    assert sorted(saved) == sorted([*range(7), *range(5)])
    assert [path.read_bytes() for path in made] == [path.read_bytes() for path in recorded]
    assert sorted(tmp_path.iterdir()) == sorted(made)


def test_a_killed_recording_continues_to_the_same_bytes(toy, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    path = killed / "trajectory.parquet"
    flags = {"record.envs": 1, "record.episodes": 60}
    words = [str(word) for pair in flags.items() for word in (f"--{pair[0]}", pair[1])]
    command = [sys.executable, "-m", "dreamer.record", "--checkpoint", toy, "--trajectory", path]
    process = subprocess.Popen([*command, *words], cwd=closure.ROOT, stderr=subprocess.DEVNULL)
    while not list(killed.glob("*.work/*/*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not path.exists()
    for folder in (whole, killed):
        record.main(toy, folder / path.name, overrides=flags)
    assert path.read_bytes() == (whole / path.name).read_bytes()
    assert os.listdir(killed) == [path.name]


def test_only_running_episodes_are_in_memory(toy, tmp_path, monkeypatch):
    held, add = [], recorder.Collector.add

    def watch(self, rows):
        add(self, rows)
        held.append((sum(map(len, self.rows)), len(self.writing)))

    monkeypatch.setattr(recorder.Collector, "add", watch)
    make(toy, tmp_path, episodes=60)
    rows, waiting = np.max(held, 0)
    assert rows <= 3 * 14 and waiting <= 3


def test_wide_layers_keep_a_fixed_subset_and_beliefs_keep_all(toy, recorded, tmp_path):
    whole = make(toy, tmp_path, cap=1000)
    for path, full in zip(recorded, whole, strict=True):
        layers = trajectory.header(path)["layers"]
        kept = layers["enc/wide"]["units"]
        assert (len(kept), layers["enc/wide"]["of"], layers["enc/wide"]["width"]) == (8, 40, 8)
        assert layers["dyn/stoch"]["units"] is None and layers["dyn/stoch"]["width"] == 35
        wide = trajectory.read(full, ["enc/wide"])["enc/wide"]
        np.testing.assert_array_equal(
            trajectory.read(path, ["enc/wide"])["enc/wide"], wide[:, kept]
        )
    assert trajectory.header(recorded[1])["layers"]["enc/wide"]["units"] == kept
    assert trajectory.header(recorded[0])["layers"]["dyn/deter"]["dtype"] == "float32"


def test_images_can_be_left_out(toy, tmp_path):
    path, _ = make(toy, tmp_path, images=False)
    assert not trajectory.has(path, "image")


def test_a_spec_gives_the_options_and_is_named_in_the_header(toy, recorded, tmp_path):
    modules = ["dreamer.record", "tests.toy_dreamer", "tests.toy_world"]
    code = closure.digest(*modules)
    block = trajectory.header(recorded[0])["options"]
    spec = specs.build("toy", 0, "record", block, modules, code, "lock")
    path, file = tmp_path / "spec.json", tmp_path / "t.parquet"
    files.write_json(path, spec)
    record.main(toy, file, spec=path)
    made = trajectory.header(file)["provenance"]
    assert (made["spec"], made["code"]) == (specs.name(spec), code)
    columns = [*PLACE, "dyn/deter"]
    for ours, theirs in zip(episodes(file, columns), episodes(recorded[0], columns), strict=True):
        np.testing.assert_equal(ours, theirs)
    with pytest.raises(Refused, match="leave out --record.episodes"):
        record.main(toy, file, spec=path, overrides={"record.episodes": 3})
    files.write_json(path, spec | {"code": "0"})
    with pytest.raises(Refused, match="changed since toy.seed0.record was planned"):
        record.main(toy, file, spec=path)


def test_a_recording_of_equal_episodes_is_refused(tmp_path):
    header = {"kind": "trajectory", "layers": {}, "absent": ["facing", "image"]}
    header |= {"achievements": []}
    parts = recorder.Parts(tmp_path, header, 2)
    for episode in range(2):
        rows = [
            {
                "position": np.array([1, 2]),
                "action": np.array(step),
                "reward": np.array(0.0),
                "vitals": np.arange(4),
                "terrain": np.zeros((2, 2)),
                "terrain_changed": np.zeros((2, 2)),
                **{name: np.array(False) for name in ("is_first", "is_last", "is_terminal")},
            }
            for step in range(3)
        ]
        parts.save(episode, rows)
    with pytest.raises(Refused, match="000000.parquet and .*000001.parquet hold the same path"):
        distinct.parts([parts])


def test_a_world_without_any_variation_is_refused_before_anything_is_played(tmp_path):
    header, _ = checkpoint.load(toy_checkpoint.save(tmp_path / "c.safetensors"))
    tree = header["options"] | {"task": "crafter"}
    path = toy_checkpoint.save(tmp_path / "c.safetensors", options=tree)
    with pytest.raises(Refused, match="every episode would be the same"):
        record.main(path, tmp_path / "t.parquet", overrides={"record.sample": False})
    assert os.listdir(tmp_path) == ["c.safetensors"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--checkpoint", "absent.safetensors"], "absent.safetensors does not exist"),
        (["--checkpoint", "cut.safetensors"], "cut.safetensors is cut off"),
        (["--checkpoint", "other.safetensors"], "enc/kernel"),
        (["--record.test_seed", "1000"], "record.seed and record.test_seed are both 1000"),
        (["--record.episode", "3"], "did you mean 'record.episodes'"),
        (["--record.episodes", "0"], "record.episodes is 0"),
        (["--record.sample", "2"], "takes true or false"),
        (["--spec", "absent.json"], "absent.json does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    toy, tmp_path, monkeypatch, capsys, flags, sentence
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(toy, "good.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(toy.read_bytes()[:100])
    header, values = checkpoint.load(toy)
    checkpoint.save("other.safetensors", {name: item[:3] for name, item in values.items()}, header)
    before = set(os.listdir())
    words = ["--checkpoint", "good.safetensors", "--trajectory", "t.parquet"]
    with pytest.raises(SystemExit) as stopped:
        cli.run(record.main, [*words, "--test-trajectory", "t2.parquet", *flags])
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert sentence in said and said.count("\n") == 1
    assert set(os.listdir()) == before


def crafter_checkpoint(path, **changes):
    """The toy agent in Crafter: its five actions are Crafter's noop and moves."""
    block = {"area": [32, 32], "random_spawn": True, "length": 60, "fixed_seed": False}
    header, _ = checkpoint.load(toy_checkpoint.save(path))
    env = {"crafter": header["options"]["env"]["crafter"] | block}
    world = crafter.make(env["crafter"], 0, 0).world
    tree = header["options"] | {"task": "crafter", "env": env}
    return toy_checkpoint.save(path, options=tree, world=world)


def test_crafter_rows_are_aligned_under_a_move_only_policy(tmp_path):
    path = crafter_checkpoint(tmp_path / "c.safetensors")
    file = tmp_path / "t.parquet"
    record.main(path, file, overrides={"record.envs": 2, "record.episodes": 4})
    names = [*PLACE, "reward", "health", "is_last", "image", "enc/wide"]
    moves = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
    moved = 0
    for rows in episodes(file, names):
        steps = np.diff(np.stack([rows["x"], rows["y"]], 1), axis=0)
        goal = moves[rows["action"][:-1]]
        np.testing.assert_array_equal(steps[steps.any(1)], goal[steps.any(1)])
        moved += steps.any(1).sum()
        turned = rows["action"][:-1] > 0
        faced = np.array(trajectory.FACINGS)[rows["action"][:-1][turned] - 1]
        np.testing.assert_array_equal(rows["facing"][1:][turned], faced)
        np.testing.assert_allclose(rows["reward"][1:], np.diff(rows["health"]) / 10, atol=1e-6)
        pixels = np.array([png.decode(image)[0, 0, 0] for image in rows["image"]])
        np.testing.assert_array_equal(rows["enc/wide"][:, 0], pixels)
    assert moved > 20
    for index, (grid, changed) in trajectory.terrain(file).items():
        spawn = episodes(file, PLACE)[index]
        assert grid[spawn["x"][0], spawn["y"][0]] in trajectory.header(file)["walkable"]
        assert changed.shape == (32, 32)


def test_activations_are_those_of_the_images_in_the_same_rows(tmp_path):
    path, file = tmp_path / "c.safetensors", tmp_path / "t.parquet"
    agent = toy_checkpoint.untrained(path)
    flags = {"record.envs": 2, "record.episodes": 2, "record.sample": False, "record.cap": 20}
    record.main(path, file, overrides=flags)
    layers = trajectory.header(file)["layers"]
    act = jax.jit(lambda carry, seen: agent.family.act(agent.params, carry, seen, None, False))
    for rows in episodes(file, [*PLACE, "is_first", "image", *layers]):
        carry = agent.family.start(agent.params, 1)
        for step, image in enumerate(rows["image"]):
            seen = {"image": png.decode(image)[None], "is_first": rows["is_first"][[step]]}
            carry, action, found = act(carry, seen)
            assert action[0] == rows["action"][step]
            for name, layer in layers.items():
                units = slice(None) if layer["units"] is None else np.array(layer["units"])
                close = 1e-5 if layer["dtype"] == "float32" else 2e-3
                value = np.asarray(found[name][0], np.float32)[units]
                np.testing.assert_allclose(rows[name][step], value, rtol=close, atol=close)
