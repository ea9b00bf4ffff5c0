"""Another network sees what the recorded one saw: the same rows, the same draws, other layers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from dreamer import checkpoint, driver, png, record, recorder, retrace, stopping, trajectory
from dreamer.playback import Playback
from dreamer.spaces import Space
from jobs import cli, closure
from jobs.errors import Refused
from tests import toy_checkpoint, toy_world

FAST = {"record.envs": 3, "record.episodes": 7, "record.test_episodes": 4, "record.cap": 8}


@pytest.fixture(scope="module", autouse=True)
def in_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.vector, "make", toy_world.in_process)
        yield


def make(folder, path, **flags):
    """(checkpoint, recording, test recording) of a checkpoint."""
    made = folder / "trajectory.parquet", folder / "trajectory_test.parquet"
    record.main(path, *made, overrides=FAST | flags)
    return path, *made


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    return make(folder, toy_checkpoint.save(folder / "checkpoint.safetensors"))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A DreamerV3 of the smallest size in a small Crafter."""
    folder = tmp_path_factory.mktemp("real")
    toy_checkpoint.untrained(folder / "checkpoint.safetensors")
    flags = {"record.episodes": 4, "record.test_episodes": 1, "record.cap": 20}
    return make(folder, folder / "checkpoint.safetensors", **flags)


def again(made, out, untrained=False, **more):
    path, *recordings = made
    outs = [out / f"{item.stem}.again.parquet" for item in recordings]
    flags = {"retrace.untrained": untrained, "retrace.trained": not untrained}
    flags |= {"retrace.platform": "cpu"}
    flags |= {f"retrace.{name}": value for name, value in more.items()}
    assert retrace.main([path], recordings, outs, overrides=flags)["device"] == "cpu"
    return outs


def columns(path):
    table = trajectory.open_file(path).read()
    return {name: table[name].combine_chunks() for name in table.column_names}


def differing(path, other):
    """Columns that differ between two recordings; only the images may be missing."""
    ours, theirs = columns(path), columns(other)
    assert set(ours) - set(theirs) <= {"image"}
    return {name for name, values in theirs.items() if not values.equals(ours[name])}


@pytest.mark.parametrize("kind", ["toy", "real"])
def test_the_recorded_network_computes_the_recorded_layers_again_to_the_bit(
    request, kind, tmp_path
):
    made = request.getfixturevalue(kind)
    for path, other in zip(made[1:], again(made, tmp_path), strict=True):
        assert differing(path, other) == set()
        assert (
            trajectory.open_file(path).num_row_groups == trajectory.open_file(other).num_row_groups
        )


def test_an_untrained_network_has_the_same_rows_and_units_and_other_values(real, tmp_path):
    for path, other in zip(real[1:], again(real, tmp_path, True), strict=True):
        layers = trajectory.header(path)["layers"]
        assert trajectory.header(other)["layers"] == layers
        assert differing(path, other) == set(layers)
        assert not trajectory.has(other, "image")


def test_the_header_says_that_the_network_is_untrained_and_which_seed_it_has(real, tmp_path):
    found = trajectory.header(again(real[:2], tmp_path, True)[0])
    assert found["networks"] == [{"untrained": True, "seed": 1003, "step": 0}]
    assert found["agent"]["seed"] == 1003 and "image" in found["absent"]
    assert set(found["provenance"]) >= {"checkpoints", "trajectory", "code", "versions"}
    other = trajectory.header(again(real[:2], tmp_path, True, seed_offset=5)[0])
    assert other["networks"][0]["seed"] == 8


def test_the_seed_decides_an_untrained_network(real, tmp_path):
    files = []
    for name, offset in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        files.append(again(real[:2], tmp_path / name, True, seed_offset=offset)[0])
    first, second, third = (path.read_bytes() for path in files)
    assert first == second != third


def test_the_network_remembers_the_recorded_actions_and_not_its_own(real, tmp_path):
    """One episode step by step, the carry's action put there by hand."""
    path, recording, _ = real
    other = again(real[:2], tmp_path, True)[0]
    agent = retrace.untrained(checkpoint.restore(path), 1000)
    read = trajectory.read(recording, ["episode", "action", "image", "is_first"])
    rows = np.flatnonzero(read["episode"] == 1)
    own = trajectory.read(other, ["dyn/deter", "dyn/stoch"])
    carry, root = agent.family.start(agent.params, 1), driver.root(1000)
    act = jax.jit(lambda *words: agent.family.act(agent.params, *words, True))
    chosen = []
    for age, row in enumerate(rows):
        keys = driver.step_keys(root, np.array([0, 0]), np.array([age, age]))[1:]
        seen = {"image": png.decode(read["image"][row])[None], "is_first": read["is_first"][[row]]}
        carry, action, found = act(carry, seen, keys)
        vector = np.eye(17, dtype=np.asarray(carry.action).dtype)[read["action"][[row]]]
        carry = carry._replace(action=vector)
        chosen.append(int(action[0]))
        for name, values in own.items():
            np.testing.assert_allclose(values[row], found[name][0], atol=1e-2)
    assert (np.array(chosen) != read["action"][rows]).any()


def test_several_checkpoints_stand_side_by_side_with_the_step_in_the_name(toy, tmp_path):
    path, recording, _ = toy
    header, values = checkpoint.load(path)
    later = [tmp_path / f"{step}.safetensors" for step in (10, 20)]
    for number, place in enumerate(later):
        changed = {name: item + number + 1 for name, item in values.items()}
        checkpoint.save(place, changed, header | {"step": int(place.stem)})
    out, flags = tmp_path / "out.parquet", {"retrace.trained": True}
    retrace.main(later, [recording], [out], layers=["enc/wide", "pol/clock"], overrides=flags)
    names = [f"{layer}@{step}" for layer in ("enc/wide", "pol/clock") for step in (0, 10, 20)]
    assert trajectory.layers(out) == names
    read = trajectory.read(out, names)
    for step in (0, 10, 20):
        wide = trajectory.read(recording, ["enc/wide"])["enc/wide"] + step / 10
        np.testing.assert_array_equal(read[f"enc/wide@{step}"], wide)
    assert [item["untrained"] for item in trajectory.header(out)["networks"]] == [
        True,
        False,
        False,
    ]
    assert sorted(tmp_path.iterdir()) == sorted([*later, out])


def test_an_agent_that_was_told_its_position_is_told_it_again(toy):
    seen = (("image", Space((64, 64, 3), "uint8")), ("player_pos", Space((2,), "float32")))
    shown = Playback(toy[1], seen, Space((), "int32", 5), [1]).row()[0]
    read = trajectory.read(toy[1], ["episode", "x", "y", "image"])
    row = np.flatnonzero(read["episode"] == 1)[0]
    np.testing.assert_array_equal(shown["player_pos"][1], [read["x"][row], read["y"][row]])
    np.testing.assert_array_equal(shown["image"][1], png.decode(read["image"][row]))
    assert not shown["image"][[0, 2]].any()  # places with nothing left to see


def test_only_running_episodes_are_in_memory(toy, tmp_path, monkeypatch):
    held, row = [], retrace.Playback.row
    monkeypatch.setattr(
        retrace.Playback,
        "row",
        lambda self: (held.append(sum(map(len, self.found))), row(self))[1],
    )
    again(toy, tmp_path)
    assert max(held) <= 3 * 14


def stop_after(rows):
    """Play rows of all places, then ask to stop."""
    left = iter([None] * rows)
    return lambda: next(left, "signal SIGTERM")


def test_a_stopped_command_continues_to_the_same_bytes(toy, tmp_path, monkeypatch):
    written, write = [], recorder.Parts.write
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    whole = again(toy, tmp_path / "whole")
    monkeypatch.setattr(
        recorder.Parts, "write", lambda *words: (written.append(words[1]), write(*words))
    )
    with monkeypatch.context() as patch:
        stop = stop_after(25)
        patch.setattr(stopping, "stopper", lambda _: contextlib.nullcontext(stop))
        outs = [tmp_path / "stopped" / path.name for path in whole]
        flags = {"retrace.untrained": False, "retrace.trained": True, "retrace.platform": "cpu"}
        assert retrace.main([toy[0]], toy[1:], outs, overrides=flags) == stopping.CONTINUE
    early = len(written)
    assert 0 < early < 7 and not list((tmp_path / "stopped").glob("*.parquet"))
    assert [path.read_bytes() for path in again(toy, tmp_path / "stopped")] == [
        path.read_bytes() for path in whole
    ]
    assert sorted(written) == sorted([*range(7), *range(4)])
    assert sorted(path.name for path in (tmp_path / "stopped").iterdir()) == sorted(
        path.name for path in outs
    )


def test_a_signal_leaves_with_code_75_and_keeps_finished_episodes(tmp_path):
    path = toy_checkpoint.save(tmp_path / "c.safetensors")
    recording, out = tmp_path / "t.parquet", tmp_path / "u.parquet"
    record.main(path, recording, overrides={"record.envs": 1, "record.episodes": 150})
    words = ["--checkpoint", path, "--trajectory", recording, "--out", out]
    command = [sys.executable, "-m", "dreamer.retrace", *map(str, words)]
    process = subprocess.Popen(
        command, cwd=closure.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.glob("u.work/*/*.parquet")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()
    assert process.returncode == stopping.CONTINUE, said
    assert "signal SIGTERM: finished episodes are kept" in said[0]
    assert not out.exists() and list(tmp_path.glob("u.work/*/*.parquet"))


def without_images(made, folder):
    record.main(made[0], folder / "t.parquet", overrides=FAST | {"record.images": False})
    return made[0], folder / "t.parquet"


def imported(made, folder):
    header = trajectory.header(made[1])
    header = {name: value for name, value in header.items() if name != "seed"}
    trajectory.join(folder / "t.parquet", header | {"imported": {}}, [made[1]])
    return made[0], folder / "t.parquet"


def other_agent(made, folder):
    return toy_checkpoint.untrained(folder / "c.safetensors") and folder / "c.safetensors", made[1]


def other_senses(made, folder):
    header, values = checkpoint.load(made[0])
    header["spaces"]["observation"]["speed"] = {"shape": [2], "dtype": "float32"}
    header["options"]["enc"]["keys"] = ".*"
    checkpoint.save(folder / "c.safetensors", values, header)
    return folder / "c.safetensors", made[1]


@pytest.mark.parametrize(
    "change, sentence",
    [
        (without_images, "holds no images, so no other network can be shown what was seen"),
        (imported, "was not recorded here"),
        (other_agent, "its layers: {"),
        (other_senses, "also observes speed, which .* does not hold"),
    ],
)
def test_what_cannot_be_shown_again_is_refused_in_a_sentence(toy, tmp_path, change, sentence):
    path, recording = change(toy, tmp_path)
    before = set(os.listdir(tmp_path))
    with pytest.raises(Refused, match=sentence):
        retrace.main([path], [recording], [tmp_path / "u.parquet"])
    assert set(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--out", "a.parquet", "b.parquet"], "--out names 2 files"),
        (["--retrace.untrained", "false"], "both false, so there is no network"),
        (["--layers", "enc/cnn9"], "there is no layer enc/cnn9 in"),
        (["--retrace.untraned", "false"], "did you mean 'retrace.untrained'"),
        (["--trajectory", "absent.parquet"], "absent.parquet does not exist"),
    ],
)
def test_bad_flags_are_one_sentence(toy, tmp_path, monkeypatch, capsys, flags, sentence):
    monkeypatch.chdir(tmp_path)
    words = ["--checkpoint", toy[0], "--trajectory", toy[1], "--out", "u.parquet", *flags]
    with pytest.raises(SystemExit) as stopped:
        cli.run(retrace.main, list(map(str, words)))
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and sentence in said and said.count("\n") == 1
    assert not list(Path().iterdir())
