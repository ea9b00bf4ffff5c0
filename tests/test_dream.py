"""Dreams: rows are aligned with the real future, exactly, where the right answer is known."""

import os
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer import dream, imagined, png, record, starts, trajectory
from jobs import cli, files
from jobs.errors import Refused
from tests import toy_checkpoint, toy_dreamer, toy_world

HORIZON = 4
OPTIONS = {"dreams.num_starts": 20, "dreams.horizon": HORIZON, "dreams.image_share": 0.25}
COLUMNS = ["start_episode", "start_step", "h", "variant", "action", "x", "y", "dyn/deter"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Folder with a toy checkpoint and its test recording."""
    folder = tmp_path_factory.mktemp("world")
    path = toy_checkpoint.save(folder / "c.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.vector, "make", toy_world.in_process)
        flags = {"record.envs": 3, "record.episodes": 8}
        record.main(path, folder / "t.parquet", overrides=flags)
    return folder


@pytest.fixture(scope="module")
def dreamt(world, tmp_path_factory):
    return make(world, tmp_path_factory.mktemp("dreamt"))


def make(world, folder, **changes):
    path = folder / "dreams.parquet"
    options = OPTIONS | {f"dreams.{name}": value for name, value in changes.items()}
    dream.main(world / "c.safetensors", world / "t.parquet", path, overrides=options)
    return path


def read(path, columns=COLUMNS):
    """{column: [starts, variants, h, ...]}."""
    found = trajectory.read(path, columns, "dreams")
    return {
        name: values.reshape(-1, 2, HORIZON + 1, *values.shape[1:])
        for name, values in found.items()
    }


def misses(path):
    """Share of forced dreams' rows whose imagined position is not the real one."""
    rows = read(path)
    place = np.stack([rows["x"], rows["y"]], -1)
    return (rows["dyn/deter"][..., :2] != place).any(-1)[:, 1].mean()


def test_a_perfect_model_forced_to_the_real_actions_dreams_the_real_future(dreamt):
    assert misses(dreamt) == 0


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_dream_one_step_off_is_noticed(world, tmp_path, monkeypatch, shift):
    imagine = toy_dreamer.imagine

    def late(*words):
        actions, states, images = imagine(*words)
        return actions, {name: jnp.roll(item, shift, 1) for name, item in states.items()}, images

    monkeypatch.setattr(toy_dreamer, "imagine", late)
    assert misses(make(world, tmp_path, image_share=0)) > 0.2


def test_each_row_stands_beside_the_recorded_step_it_is_compared_with(world, dreamt):
    rows = read(dreamt)
    real = trajectory.read(world / "t.parquet", ["episode", "step", "x", "y", "action"])
    at = {pair: row for row, pair in enumerate(zip(real["episode"], real["step"], strict=True))}
    for start in range(20):
        first = at[rows["start_episode"][start, 0, 0], rows["start_step"][start, 0, 0]]
        ahead = np.arange(first, first + HORIZON + 1)
        assert len(set(real["episode"][ahead])) == 1
        for variant in range(2):
            np.testing.assert_array_equal(rows["h"][start, variant], range(HORIZON + 1))
            np.testing.assert_array_equal(rows["x"][start, variant], real["x"][ahead])
            np.testing.assert_array_equal(rows["y"][start, variant], real["y"][ahead])
        np.testing.assert_array_equal(rows["action"][start, 1, 1:], real["action"][ahead[:-1]])


def test_the_action_in_a_row_led_to_it_and_none_led_to_the_start(dreamt):
    rows = read(dreamt)
    assert np.isnan(rows["action"][:, :, 0]).all()
    place, action = rows["dyn/deter"][..., :2].astype(int), rows["action"][:, :, 1:].astype(int)
    goal = place[:, :, :-1] + toy_world.MOVES[action]
    stays = ~toy_world.free()[goal[..., 0], goal[..., 1]]
    np.testing.assert_array_equal(
        place[:, :, 1:], np.where(stays[..., None], place[:, :, :-1], goal)
    )
    assert set(rows["variant"][:, 0].ravel()) == {"policy"}
    assert set(rows["variant"][:, 1].ravel()) == {"forced"}
    assert (rows["action"][:, 0, 1:] != rows["action"][:, 1, 1:]).mean() > 0.5


def test_dreams_begin_with_the_recorded_belief(world, dreamt):
    rows, recorded = read(dreamt), trajectory.read(world / "t.parquet", ["dyn/deter"])
    known = {belief.tobytes() for belief in recorded["dyn/deter"]}
    assert {belief.tobytes() for belief in rows["dyn/deter"][:, :, 0].reshape(-1, 4)} <= known
    np.testing.assert_array_equal(rows["dyn/deter"][:, 0, 0], rows["dyn/deter"][:, 1, 0])


def test_images_of_a_share_of_the_starts_show_the_recorded_then_the_imagined_state(dreamt):
    rows = read(dreamt, [*COLUMNS, "image"])
    kept = np.array([[image is not None for image in dream] for dream in rows["image"][:, 1]])
    assert kept.all(1).sum() == 5 and kept.any(1).sum() == 5
    for start, variant, h in np.ndindex(20, 2, HORIZON + 1):
        image = rows["image"][start, variant, h]
        if image is not None:
            pixel = png.decode(image)[0, 0]
            np.testing.assert_array_equal(pixel, rows["dyn/deter"][start, variant, h, :3])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_starts(world, dreamt, tmp_path):
    assert make(world, tmp_path).read_bytes() == dreamt.read_bytes()
    other = read(make(world, tmp_path, seed=4, image_share=0))
    assert (other["start_step"] != read(dreamt)["start_step"]).any()


def test_memory_is_bounded_by_a_batch_of_starts(dreamt):
    file = trajectory.open_file(dreamt, "dreams")
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert sizes == [5 * 2 * (HORIZON + 1), 15 * 2 * (HORIZON + 1)]
    assert max(sizes) <= imagined.BATCH * 2 * (HORIZON + 1)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 6), st.integers(1, 50))
def test_starts_are_all_rows_with_a_whole_real_future_each_at_most_once(lengths, horizon, count):
    episode = np.repeat(np.arange(len(lengths)), lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    allowed = np.flatnonzero(step + horizon < np.array(lengths)[episode])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(starts.trajectory, "read", lambda path, names: {"episode": episode})
        drawn = starts.draw("t.parquet", count, horizon, 0)
    assert len(set(drawn)) == len(drawn) == min(count, len(allowed))
    assert set(drawn) <= set(allowed)


def test_where_no_episode_is_long_enough_dreams_are_empty_and_say_so(world, tmp_path, capsys):
    path = make(world, tmp_path, horizon=500)
    header = trajectory.header(path, "dreams")
    assert header["note"] == "No episode was long enough for dreams of 500 steps."
    assert header["starts"] == 0 and header["note"] in capsys.readouterr().err
    names = ["start_episode", "h", "variant", "action", "x", "image", "dyn/deter"]
    found = trajectory.read(path, names, "dreams")
    assert all(not len(values) for values in found.values())
    assert found["dyn/deter"].shape[1] == header["layers"]["dyn/deter"]["width"]


def test_rows_taken_one_by_one_are_those_of_the_whole_column(world):
    path, rows = world / "t.parquet", np.array([0, 3, 17, 18, 40, 71])
    taken = starts.take(path, ["dyn/deter", "x", "image"], rows)
    whole = trajectory.read(path, ["dyn/deter", "x", "image"])
    np.testing.assert_array_equal(taken["dyn/deter"], whole["dyn/deter"][rows])
    assert taken["x"] == whole["x"][rows].tolist() and taken["image"] == list(whole["image"][rows])


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--checkpoint", "absent.safetensors"], "absent.safetensors does not exist"),
        (["--trajectory", "absent.parquet"], "absent.parquet does not exist"),
        (["--trajectory", "cut.parquet"], "cut.parquet is cut off"),
        (["--trajectory", "dreams.parquet"], "'trajectory' of version 1 is needed"),
        (["--checkpoint", "other.safetensors"], "was recorded from another checkpoint"),
        (["--dreams.image_share", "2"], "image_share is 2.0"),
        (["--dreams.num_start", "2"], "did you mean 'dreams.num_starts'"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    world, dreamt, tmp_path, monkeypatch, capsys, flags, sentence
):
    monkeypatch.chdir(tmp_path)
    for path in (world / "c.safetensors", world / "t.parquet", dreamt):
        shutil.copy(path, tmp_path)
    (tmp_path / "cut.parquet").write_bytes((world / "t.parquet").read_bytes()[:500])
    toy_checkpoint.save(tmp_path / "other.safetensors", step=1)
    before = set(os.listdir())
    words = ["--checkpoint", "c.safetensors", "--trajectory", "t.parquet", "--dreams", "d.parquet"]
    with pytest.raises(SystemExit) as stopped:
        cli.run(dream.main, [*words, *flags])
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert sentence in said and said.count("\n") == 1
    assert set(os.listdir()) == before


def test_a_recording_without_the_belief_is_refused(world, tmp_path):
    path = tmp_path / "t.parquet"
    about = trajectory.header(world / "t.parquet")
    about["layers"].pop("dyn/stoch")
    about["provenance"] = {"checkpoint": files.sha256(world / "c.safetensors")}
    trajectory.write(path, about, [])
    with pytest.raises(Refused, match="has no units of dyn/stoch"):
        dream.main(world / "c.safetensors", path, tmp_path / "d.parquet", overrides=OPTIONS)


def test_the_real_model_forced_to_the_real_action_agrees_with_the_next_recorded_step(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(record.vector, "make", toy_world.in_process)
    toy_checkpoint.untrained(tmp_path / "c.safetensors")
    flags = {"record.envs": 2, "record.episodes": 2, "record.cap": 10}
    record.main(tmp_path / "c.safetensors", tmp_path / "t.parquet", overrides=flags)
    rows = read(make(tmp_path, tmp_path, num_starts=16, image_share=0))
    real = trajectory.read(tmp_path / "t.parquet", ["episode", "step", "dyn/deter"])
    for start in range(16):
        episode, step = rows["start_episode"][start, 0, 0], rows["start_step"][start, 0, 0]
        then = (real["episode"] == episode) & (real["step"] == step + 1)
        # the recurrent part of the next state is known before the next image is seen
        forced = rows["dyn/deter"][start, 1, 1]
        np.testing.assert_allclose(forced, real["dyn/deter"][then][0], rtol=1e-4, atol=1e-6)
        assert not np.allclose(forced, rows["dyn/deter"][start, 1, 0], rtol=1e-2)


def test_a_recording_without_positions_is_dreamt_from_too(world, tmp_path):
    header, file = trajectory.header(world / "t.parquet"), trajectory.open_file(world / "t.parquet")
    groups = [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]
    header["absent"] = sorted({*header["absent"], "x", "y"})
    trajectory.write(tmp_path / "t.parquet", header, groups)
    shutil.copy(world / "c.safetensors", tmp_path)
    path = make(tmp_path, tmp_path, num_starts=2)
    assert not trajectory.has(path, "x", "y", kind="dreams")
    assert trajectory.has(path, "dyn/deter", kind="dreams")
