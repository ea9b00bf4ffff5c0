"""The Parquet contract: what is written is read back, and foreign or cut files are refused."""

import numpy as np
import pytest

from dreamer import trajectory
from jobs.errors import Refused

HEADER = {
    "kind": "trajectory",
    "layers": {
        "enc/tokens": {"width": 3, "dtype": "float16"},
        "dyn/deter": {"width": 2, "dtype": "float32"},
    },
    "achievements": ["collect_wood"],
    "area": [4, 5],
}


def episode(index, steps=4):
    rng = np.random.default_rng(index)
    blank = [None] * (steps - 1)
    return {
        "episode": np.full(steps, index),
        "step": np.arange(steps),
        "x": rng.integers(0, 4, steps),
        "y": rng.integers(0, 5, steps),
        "facing": rng.choice(trajectory.FACINGS, steps),
        "action": rng.integers(0, 17, steps),
        "reward": rng.normal(size=steps),
        "is_first": np.arange(steps) == 0,
        "is_last": np.arange(steps) == steps - 1,
        "is_terminal": np.zeros(steps, bool),
        **{name: np.full(steps, 9) for name in trajectory.VITALS},
        "image": [b"png"] * steps,
        "terrain": [np.arange(20, dtype=np.uint8), *blank],
        "terrain_changed": [np.arange(20, dtype=np.uint8) % 2, *blank],
        "achievement_collect_wood": np.zeros(steps),
        "enc/tokens": rng.normal(size=(steps, 3)),
        "dyn/deter": rng.normal(size=(steps, 2)),
    }


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "trajectory.parquet"
    trajectory.write(path, HEADER, (episode(index) for index in range(3)))
    return path


def test_a_recording_reads_back_column_by_column(recording):
    read = trajectory.read(recording, ["episode", "facing", "dyn/deter", "enc/tokens"])
    assert read["dyn/deter"].shape == (12, 2)
    np.testing.assert_allclose(read["dyn/deter"][4:8], episode(1)["dyn/deter"], rtol=1e-6)
    np.testing.assert_allclose(read["enc/tokens"][:4], episode(0)["enc/tokens"], rtol=1e-3)
    assert list(read["facing"][8:]) == list(episode(2)["facing"])
    assert trajectory.layers(recording) == ["enc/tokens", "dyn/deter"]
    assert trajectory.open_file(recording).num_row_groups == 3


@pytest.mark.parametrize("rows", [[], [5], [0, 3, 9, 11]])
def test_some_rows_are_those_of_the_whole(recording, rows):
    names = ["episode", "facing", "dyn/deter", "enc/tokens"]
    whole, some = (
        trajectory.read(recording, names, rows=item) for item in (None, np.array(rows, int))
    )
    for name in names:
        np.testing.assert_array_equal(some[name], whole[name][np.array(rows, int)])


def test_terrain_comes_back_as_a_grid_indexed_x_then_y(recording):
    grid, changed = trajectory.terrain(recording)[1]
    assert grid.shape == (4, 5) and grid[2, 3] == 13 and changed[2, 3] == 1


def test_parts_join_in_the_given_order_and_equal_one_writing(recording, tmp_path):
    parts = [tmp_path / f"part{index}.parquet" for index in range(3)]
    for index, part in enumerate(parts):
        trajectory.write(part, HEADER, [episode(index)])
    trajectory.join(tmp_path / "joined.parquet", HEADER, parts)
    assert (tmp_path / "joined.parquet").read_bytes() == recording.read_bytes()


def test_absent_columns_are_left_out(tmp_path):
    header = {**HEADER, "absent": ["facing", "terrain", "terrain_changed"]}
    trajectory.write(tmp_path / "t.parquet", header, [episode(0)])
    assert not trajectory.has(tmp_path / "t.parquet", "facing")
    with pytest.raises(Refused, match="no column facing"):
        trajectory.read(tmp_path / "t.parquet", ["facing"])


@pytest.mark.parametrize("keep", [0, 3, 200, -1])
def test_a_cut_file_is_refused_in_one_sentence(recording, tmp_path, keep):
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(recording.read_bytes()[:keep])
    with pytest.raises(Refused, match="cut.parquet is cut off"):
        trajectory.read(cut, ["x"])


def test_dreams_are_not_taken_for_a_recording(recording):
    with pytest.raises(Refused, match="'dreams' of version 1 is needed"):
        trajectory.header(recording, "dreams")


def test_a_changed_byte_in_the_activations_never_goes_unnoticed(recording, tmp_path):
    clean = trajectory.read(recording, ["dyn/deter"])["dyn/deter"]
    content, damaged = recording.read_bytes(), tmp_path / "damaged.parquet"
    pages = len(content) - trajectory.open_file(recording).metadata.serialized_size - 8
    noticed = 0
    for place in range(4, pages, 37):
        flipped = bytes([content[place] ^ 255])
        damaged.write_bytes(content[:place] + flipped + content[place + 1 :])
        try:
            assert (trajectory.read(damaged, ["dyn/deter"])["dyn/deter"] == clean).all()
        except Refused:
            noticed += 1
    assert noticed


def test_a_damaged_training_log_is_refused_too(tmp_path):
    path = tmp_path / "metrics.parquet"
    trajectory.write_log(path, "metrics", {}, {"loss": np.random.default_rng(0).normal(size=500)})
    content = bytearray(path.read_bytes())
    content[1000] ^= 255
    path.write_bytes(content)
    with pytest.raises(Refused, match="metrics.parquet is damaged"):
        trajectory.read_log(path, "metrics")


def test_a_folder_in_place_of_a_file_is_named_as_such(tmp_path):
    with pytest.raises(Refused, match="is a folder, not a file; run the step"):
        trajectory.open_file(tmp_path)
    with pytest.raises(Refused, match="nothing.parquet does not exist; run the step"):
        trajectory.open_file(tmp_path / "nothing.parquet")
