"""Saved decoders say about a new recording what they said when it was the test recording."""

import numpy as np
import pytest

from analysis import apply_decoder, decoders
from dreamer import trajectory
from jobs import files
from jobs.errors import Refused
from tests import synthetic
from tests.test_position import LAYERS, Run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("from_model")
    synthetic.recording(folder / "trajectory.parquet", 8, 40, (4, 4), layers=LAYERS)
    synthetic.recording(folder / "other.parquet", 3, 40, (4, 4), seed=5, layers=LAYERS)
    return Run(folder, folder / "other.parquet", split="test")


def apply(run, recording):
    outputs = (run.folder / "applied.json", run.folder / "applied.parquet")
    apply_decoder.main(run.decoders, recording, *outputs)
    return files.read_json(outputs[0]), trajectory.read_log(outputs[1], "position_steps")[1]


def test_applied_decoders_repeat_the_scores_of_the_test_split(run):
    found, table = apply(run, run.folder / "other.parquet")
    scores = {
        (row["score"], row["layer"], row["representation"]): (row["value"], row["chance"])
        for row in run.found["summary"]
        if "swaps" not in (row["chance_name"] or "") and "p against" not in row["score"]
    }
    again = {
        (row["score"], row["layer"], row["representation"]): (row["value"], row["chance"])
        for row in found["summary"]
    }
    assert again.keys() == scores.keys() and len(again) > 50
    np.testing.assert_allclose(list(again.values()), [scores[key] for key in again], rtol=1e-6)
    keys = ["representation", "method", "episode", "step"]
    both = [item.sort_values(keys)["error"] for item in (table, run.table)]
    np.testing.assert_allclose(*both, rtol=1e-5)


def test_the_file_says_what_the_decoders_are(run):
    header = decoders.load(run.decoders)[0]
    entry = header["decoders"]["combined|robust"]
    assert entry["layers"] == ["dyn/deter", "dyn/stoch"] and entry["units"] == 28
    assert header["inputs"]["trajectory"] == files.sha256(run.folder / "trajectory.parquet")
    assert sum(header["occupancy"]["steps"]) == 320


def test_errors_on_the_training_data_are_refused(run):
    with pytest.raises(Refused, match="measure memory"):
        apply(run, run.folder / "trajectory.parquet")


def test_layers_that_are_not_finite_are_named_and_the_others_decoded(run, tmp_path):
    broken = {"dyn/stoch": lambda item, _: np.full((len(item.x), 12), np.nan)}
    synthetic.recording(tmp_path / "t.parquet", 2, 20, (4, 4), layers=LAYERS | broken)
    found, table = apply(run, tmp_path / "t.parquet")
    assert "Not finite, so not decoded: combined, dyn/stoch." in found["notes"]
    assert set(table["representation"]) == {"dyn/deter", "enc/tokens"}
    assert all(np.isfinite(row["value"]) for row in found["summary"])


@pytest.mark.parametrize(
    "about, words",
    [
        ({"agent": {"name": "v3", "seed": 7}}, "fitted on another agent"),
        ({"told_position": True}, "received its position as an input"),
        ({"absent": ["terrain", "terrain_changed"]}, "path lengths are left out"),
    ],
)
def test_what_a_reader_must_know_is_said(run, tmp_path, about, words):
    synthetic.recording(tmp_path / "t.parquet", 2, 20, (4, 4), layers=LAYERS, **about)
    assert any(words in note for note in apply(run, tmp_path / "t.parquet")[0]["notes"])


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"area": (5, 5)}, "tiles do not correspond"),
        ({"layers": {"another": synthetic.noise(3)}}, "none of the layers"),
        ({"absent": ["x", "y"]}, "no positions"),
    ],
)
def test_recordings_that_do_not_fit_are_refused(run, tmp_path, change, sentence):
    settings = {"area": (4, 4), "layers": LAYERS, **change}
    synthetic.recording(tmp_path / "t.parquet", 2, 20, **settings)
    with pytest.raises(Refused, match=sentence):
        apply(run, tmp_path / "t.parquet")
