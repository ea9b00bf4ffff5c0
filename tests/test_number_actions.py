"""Recordings whose actions are several numbers: what can be asked of them, and what is left out."""

import numpy as np
import pytest

from analysis import controls, dreams, position, tuning, tuning_notes
from dreamer import dataset, trajectory
from jobs import files
from jobs.errors import Refused
from tests import synthetic
from tests.test_dreams_analysis import DREAMS
from tests.test_position import OPTIONS
from tests.test_tuning import OPTIONS as TUNING

LAYERS = {"dyn/deter": synthetic.one_hot, "dyn/stoch": synthetic.place_fields(12, 1.0)}
UNKNOWN = (np.nan, np.nan)


def numbered(path, kind="trajectory"):
    """Write a file anew whose moves are the numbers (dx, dy)."""
    file = trajectory.open_file(path, kind)
    found = [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]
    for columns in found:
        columns["action"] = [
            UNKNOWN if action is None else synthetic.MOVES[action] for action in columns["action"]
        ]
    trajectory.write(path, trajectory.header(path, kind) | {"action_width": 2}, found)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    paths = folder / "trajectory.parquet", folder / "test.parquet"
    synthetic.recording(paths[0], 10, 40, (5, 5), layers=LAYERS)
    synthetic.recording(paths[1], 3, 40, (5, 5), seed=4, layers=LAYERS)
    synthetic.dreams(folder / "dreams.parquet", paths[1], 3, [5, 20, 50, 90], list(LAYERS))
    for path in paths:
        numbered(path)
    numbered(folder / "dreams.parquet", "dreams")
    return folder, *paths


def test_the_control_of_past_actions_takes_numbers_as_they_are(recordings):
    path = recordings[1]
    read = trajectory.read(path, ["step", "action"])
    kinds = controls.classes(trajectory.header(path))
    found = controls.past(path, 2, kinds, np.arange(80)).reshape(80, 2, 2)
    assert found[1:, 0][read["step"][1:80] > 0].any()
    for row in range(80):
        for back in (1, 2):
            wanted = read["action"][row - back] if read["step"][row] >= back else 0
            np.testing.assert_array_equal(found[row, back - 1], np.broadcast_to(wanted, 2))


def test_categories_among_them_are_told_apart_one_by_one(recordings, tmp_path):
    header = trajectory.header(recordings[1]) | {"action_classes": 3, "action_width": 2}
    assert controls.classes(header) == 3 and controls.classes({"actions": "abcd"}) == 4
    columns = trajectory.open_file(recordings[1]).read_row_group(0).to_pydict()
    columns["action"] = np.arange(80).reshape(40, 2) % 3
    trajectory.write(tmp_path / "t.parquet", header, [columns])
    found = controls.past(tmp_path / "t.parquet", 1, 3, np.arange(40)).reshape(40, 2, 3)
    np.testing.assert_array_equal(found[1:].argmax(-1), columns["action"][:-1])
    assert (found[1:].sum(-1) == 1).all() and not found[0].any()


def test_dreams_are_decoded_without_agreement_and_a_sentence_says_so(recordings, tmp_path):
    folder, *pair = recordings
    options = OPTIONS | {"split": "test", "controls": ["actions"], "n_null": 0, "leak": False}
    spec = synthetic.spec(tmp_path / "p.spec", "position", options)
    fitted = [tmp_path / name for name in ("p.json", "p.parquet", "decoders.safetensors")]
    position.main(spec, *pair, *fitted, tmp_path / "work")
    spec = synthetic.spec(tmp_path / "d.spec", "dreams", DREAMS)
    made = [tmp_path / name for name in ("d.json", "steps.parquet", "maps.parquet")]
    dreams.main(spec, folder / "dreams.parquet", pair[1], fitted[2], *made)
    found = files.read_json(made[0])
    assert dreams.NUMBERS in found["notes"]
    facts = found["details"]["dyn/deter"]["robust"]["variants"]
    assert set(facts) == {"policy", "forced", "real states"}
    assert all(item["agreement"] is None for item in facts.values())
    np.testing.assert_allclose(facts["forced"]["mean"], 0, atol=1e-9)
    table = trajectory.read_log(made[1], "dreams_steps")[1]
    assert len(table) == 3 * 2 * 3 * 4 * 4 and table["action"].isna().all()


def test_tuning_to_actions_is_left_out_and_a_sentence_says_so(recordings, tmp_path):
    spec = synthetic.spec(tmp_path / "t.spec", "tuning", TUNING | {"n_null": 0, "test": False})
    made = [tmp_path / name for name in ("t.parquet", "null.parquet", "maps.npz", "t.json")]
    tuning.main(spec, recordings[1], *made)
    table = trajectory.read_log(made[0], "tuning")[1]
    assert table["ev_place"].notna().any() and table["ev_action"].isna().all()
    assert any("tuning to actions is not computed" in note
               for note in files.read_json(made[3])["notes"])  # fmt: skip


def test_they_become_a_data_set_and_several_choices_at_once_do_not(tmp_path):
    path = tmp_path / "r.parquet"
    synthetic.recording(path, 1, 20, (4, 4), layers=LAYERS)
    numbered(path)
    dataset.main(tmp_path / "d.parquet", files=[path], overrides={"data.test_share": 0.0})
    found = trajectory.header(tmp_path / "d.parquet", "dataset")
    assert found["action_width"] == 2 and found["spaces"]["action"]["classes"] == 0
    ours = trajectory.read(tmp_path / "d.parquet", ["action"], "dataset")["action"]
    np.testing.assert_array_equal(ours, trajectory.read(path, ["action"])["action"])
    about = trajectory.header(path) | {"action_classes": 3}
    trajectory.join(tmp_path / "t.parquet", about, [path])
    with pytest.raises(Refused, match="t.parquet is several choices at once, but data sets hold"):
        dataset.main(tmp_path / "e.parquet", files=[tmp_path / "t.parquet"])


def test_a_world_without_positions_has_no_area_and_tuning_says_what_is_left(recordings, tmp_path):
    """As CartPole: neither tiles nor ground nor facing, here with single actions as well."""
    file = trajectory.open_file(recordings[1])
    absent = ["x", "y", "facing", "terrain", "terrain_changed"]
    header = trajectory.header(recordings[1]) | {"area": [0, 0], "absent": absent}
    found = [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]
    spec = synthetic.spec(tmp_path / "t.spec", "tuning", TUNING | {"n_null": 3, "test": False})
    made = [tmp_path / name for name in ("t.parquet", "null.parquet", "maps.npz", "t.json")]
    for single in (False, True):
        for columns in found if single else ():
            columns["action"] = [int(move[0] > 0) for move in columns["action"]]
        about = {name: header[name] for name in header if not single or name != "action_width"}
        trajectory.write(tmp_path / "t0.parquet", about, found)
        tuning.main(spec, tmp_path / "t0.parquet", *made)
        table = trajectory.read_log(made[0], "tuning")[1]
        assert table["ev_place"].isna().all() and table["ev_action"].notna().any() == single
        notes = files.read_json(made[3])["notes"]
        assert tuning_notes.NO_POSITIONS in notes
        assert any("tuning to actions is not" in note for note in notes) != single
