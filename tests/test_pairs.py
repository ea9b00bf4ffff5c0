"""Recordings that do not belong together are refused where each would give a wrong number."""

import numpy as np
import pytest

from analysis import pairs, planning, recording, tuning
from dreamer import trajectory
from jobs.errors import Refused
from tests import synthetic
from tests.test_position import OPTIONS
from tests.test_tuning import run as tuned

LAYERS = {"a": synthetic.place_fields(4), "b": synthetic.noise(2)}
SAME = {"episodes": 4, "steps": 12, "area": (5, 5), "layers": LAYERS}
CHANGES = {
    "the same episodes": ({}, "4 of the episodes of .* measure memory"),
    "one episode of them": ({"episodes": 1}, "1 of the episodes of .* measure memory"),
    "another world": ({"seed": 1, "area": (6, 5)}, "tiles do not correspond"),
    "more units": (
        {"seed": 1, "layers": LAYERS | {"a": synthetic.noise(5)}},
        "a is 4 units in .* and 5 units",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_test_recording_that_does_not_fit_is_refused_by_decoding_and_tuning(
    change, tmp_path, monkeypatch
):
    settings, sentence = CHANGES[change]
    synthetic.recording(tmp_path / "test.parquet", **SAME | settings)
    synthetic.recording(tmp_path / "train.parquet", **SAME)
    read = [recording.load(tmp_path / f"{name}.parquet") for name in ("train", "test")]
    with pytest.raises(Refused, match=sentence):
        planning.make(*read, OPTIONS | {"split": "test"})
    with pytest.raises(Refused, match=sentence):
        inputs = {"test": tmp_path / "test.parquet"}
        tuned(tmp_path, monkeypatch, {"test": True, "n_null": 0}, inputs, **SAME)


def test_other_episodes_of_the_same_agent_are_a_test(tmp_path):
    synthetic.recording(tmp_path / "train.parquet", **SAME)
    synthetic.recording(tmp_path / "test.parquet", **SAME | {"seed": 1})
    pairs.refuse_untestable(tmp_path / "train.parquet", tmp_path / "test.parquet")


def test_another_draw_of_as_many_units_is_refused(tmp_path):
    """Layers wider than the recorder's cap keep a drawn subset, which the header names."""
    paths = [tmp_path / f"{name}.parquet" for name in ("one", "other")]
    synthetic.recording(paths[0], **SAME)
    header = trajectory.header(paths[0])
    for path, units in zip(paths, ([0, 5, 6, 9], [1, 5, 6, 9]), strict=True):
        header["layers"]["a"]["units"] = units
        walks = [synthetic.walk(0, 5, np.full((5, 5), 2), np.random.default_rng(0))]
        made = {"a": np.zeros((5, 4)), "b": np.zeros((5, 2))}
        trajectory.write(path, header, [synthetic.columns(walks[0], made)])
    with pytest.raises(Refused, match="a is 4 units in .* and 4 units, or others"):
        tuning.compared([paths[0]], [paths[1]])
