"""Recordings, replays and dreams hold what any agent sees and does: numbers, several images, many
actions at once."""

from functools import partial

import jax
import numpy as np
import pytest

from analysis import pairs
from dreamer import checkpoint, dream, family, options, png, record, retrace, spaces, trajectory
from dreamer.envs import vector
from jobs.errors import Refused
from tests import toy_world

CORRIDOR = "examples/own_environment.py:Corridor"
TASKS = {
    "numbers": {"task": CORRIDOR},
    "several choices": {"task": "tests.many_spaces:Everything"},
    "several numbers": {"task": "tests.roaming:Roaming", "env.gym.size": [16, 16]},
}
FLAGS = {"record.episodes": 3, "record.test_episodes": 1, "record.envs": 2, "record.cap": 8}


def untrained(path, **changes):
    """Write the smallest untrained agent of a task."""
    overrides = {"env.gym.size": [32, 32], "env.gym.length": 7, **changes}
    tree = options.resolve(["gym", "debug"], overrides)
    with vector.build(tree["task"], tree["env"]["gym"], 0, 0, 0) as env:
        seen, world = spaces.of(env.observation_space, env.action_space), env.world
    init = jax.jit(partial(family.load("v3").init, tree, seen))
    header = {"agent": "v3", "options": tree, "step": 0, "updates": 0, "seed": 0}
    header |= {"spaces": spaces.to_json(seen), "world": world}
    checkpoint.save(path, jax.device_get(init(jax.random.key(0)).params.values), header)
    return path


@pytest.fixture(scope="module", params=TASKS)
def made(request, tmp_path_factory):
    """(name, checkpoint, recording)."""
    folder = tmp_path_factory.mktemp("made")
    path = untrained(folder / "c.safetensors", **TASKS[request.param])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.vector, "make", toy_world.in_process)
        record.main(path, folder / "t.parquet", overrides=FLAGS)
    return request.param, path, folder / "t.parquet"


def replayed(made, out, untrained):
    _, path, recording = made
    flags = {"retrace.untrained": untrained, "retrace.trained": not untrained}
    retrace.main([path], [recording], [out], overrides=flags | {"retrace.platform": "cpu"})
    layers = trajectory.layers(recording)
    return [trajectory.read(item, layers) for item in (recording, out)]


def test_the_recorded_network_computes_the_recorded_layers_again_to_the_bit(made, tmp_path):
    ours, theirs = replayed(made, tmp_path / "u.parquet", False)
    np.testing.assert_equal(ours, theirs)


def test_an_untrained_network_sees_the_same_and_computes_other_layers(made, tmp_path):
    ours, theirs = replayed(made, tmp_path / "u.parquet", True)
    assert all((ours[name] != theirs[name]).any() for name in ours)
    names = trajectory.open_file(tmp_path / "u.parquet").schema_arrow.names
    assert not [name for name in names if name.startswith("observation_")]


ACTIONS = {
    "numbers": {},
    "several choices": {"action_width": 2, "action_classes": 5},
    "several numbers": {"action_width": 2},
}


def test_dreams_hold_the_actions_that_were_taken(made, tmp_path):
    name, path, recording = made
    flags = {"dreams.num_starts": 3, "dreams.horizon": 2, "dreams.platform": "cpu"}
    dream.main(path, recording, tmp_path / "d.parquet", overrides=flags)
    header, told = trajectory.header(recording), trajectory.header(tmp_path / "d.parquet", "dreams")
    for key in ("action_width", "action_classes"):
        assert header.get(key) == told.get(key) == ACTIONS[name].get(key)
    keys = ["start_episode", "start_step", "h", "variant", "action"]
    dreamt = trajectory.read(tmp_path / "d.parquet", keys, "dreams")
    real = trajectory.read(recording, ["episode", "step", "action"])
    assert np.isnan(dreamt["action"][dreamt["h"] == 0]).all()
    later = np.flatnonzero((dreamt["variant"] == "forced") & (dreamt["h"] > 0))
    for row in later:
        step = dreamt["start_step"][row] + dreamt["h"][row] - 1
        here = (real["episode"] == dreamt["start_episode"][row]) & (real["step"] == step)
        np.testing.assert_array_equal(real["action"][here][0], dreamt["action"][row])
    assert len(later) == 6


@pytest.mark.parametrize("made", ["several numbers"], indirect=True)
def test_an_image_that_no_png_holds_is_recorded_as_numbers_and_not_dreamt(made, tmp_path):
    _, path, recording = made
    header = trajectory.header(recording)
    about = {"shape": [16, 16, 4], "dtype": "uint8", "format": "list"}
    assert header["observations"]["image"] == about and "image" in header["absent"]
    assert header["observations"]["eye"]["format"] == "PNG"
    flags = {"dreams.num_starts": 1, "dreams.horizon": 2, "dreams.image_share": 1.0}
    dream.main(path, recording, tmp_path / "d.parquet", overrides=flags)
    images = trajectory.read(tmp_path / "d.parquet", ["image"], "dreams")["image"]
    assert not any(images)


def test_every_observation_that_is_seen_has_a_column_with_its_type(tmp_path, monkeypatch):
    monkeypatch.setattr(record.vector, "make", toy_world.in_process)
    keys = {"enc.keys": "^(parts|right)$"}
    path = untrained(tmp_path / "c.safetensors", **TASKS["several choices"], **keys)
    record.main(path, tmp_path / "t.parquet", overrides=FLAGS)
    table = trajectory.open_file(tmp_path / "t.parquet").read()
    about = trajectory.header(tmp_path / "t.parquet")["observations"]
    assert about == {
        "parts": {"shape": [2], "dtype": "int32", "format": "list"},
        "right": {"shape": [32, 32, 3], "dtype": "uint8", "format": "PNG"},
    }
    own = [name for name in table.column_names if name.startswith("observation_")]
    assert own == ["observation_parts", "observation_right"]
    step = table["step"].to_pylist()
    assert table["observation_parts"].to_pylist() == [[time % 2, time] for time in step]
    images = [png.decode(data) for data in table["observation_right"].to_pylist()]
    assert all((image == time).all() for image, time in zip(images, step, strict=True))


def test_episodes_that_equal_others_are_left_out_and_the_rest_is_replayed(tmp_path, monkeypatch):
    """A corridor has few starts and short ways."""
    monkeypatch.setattr(record.vector, "make", toy_world.in_process)
    path = untrained(tmp_path / "c.safetensors", **TASKS["numbers"], **{"env.gym.length": 1})
    found = tmp_path / "t.parquet", tmp_path / "t2.parquet"
    again = tmp_path / "u.parquet", tmp_path / "u2.parquet"
    flags = {"record.episodes": 60, "record.test_episodes": 30, "record.envs": 3}
    record.main(path, *found, overrides=FLAGS | flags)
    keys = set()
    for item, out, count in zip(found, again, (60, 30), strict=True):
        own = pairs.episodes(item)
        assert trajectory.header(item)["played"] == count > len(own) > count / 2
        assert len(own) == trajectory.open_file(item).num_row_groups
        assert not keys & set(own)
        keys |= set(own)
        ours, theirs = replayed((None, path, item), out, False)
        np.testing.assert_equal(ours, theirs)
    pairs.refuse_untestable(*found)
    pairs.refuse_untestable(*again)
    with pytest.raises(Refused, match="would measure memory"):
        pairs.refuse_untestable(again[0], again[0])


def test_images_that_were_left_out_cannot_be_shown_again(tmp_path, monkeypatch):
    monkeypatch.setattr(record.vector, "make", toy_world.in_process)
    path = untrained(tmp_path / "c.safetensors", **TASKS["several choices"])
    record.main(path, tmp_path / "t.parquet", overrides=FLAGS | {"record.images": False})
    assert not {"left", "right"} & set(trajectory.header(tmp_path / "t.parquet")["observations"])
    with pytest.raises(Refused, match="holds no images, so no other network can be shown"):
        retrace.main([path], [tmp_path / "t.parquet"], [tmp_path / "u.parquet"])
    path = untrained(tmp_path / "c.safetensors", **TASKS["numbers"])
    record.main(path, tmp_path / "t.parquet", overrides=FLAGS | {"record.images": False})
    retrace.main([path], [tmp_path / "t.parquet"], [tmp_path / "u.parquet"])
