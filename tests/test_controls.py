"""Controls of position decoding know what they should and nothing else."""

import numpy as np
import pytest

from analysis import controls, decoders, planning, position, recording
from dreamer import trajectory
from jobs.errors import Refused
from tests import synthetic
from tests.test_position import LAYERS, OPTIONS, Run

CONTROLS = ["pixels", "tokens", "clock", "actions"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    synthetic.recording(folder / "trajectory.parquet", 12, 40, (4, 4), layers=LAYERS)
    settings = {"layers": ["dyn/deter"], "methods": ["ridge"], "controls": CONTROLS}
    return Run(folder, untrained=True, **settings)


def test_each_control_is_decoded_like_a_layer_and_named(run):
    assert run.found["controls"] == ["pixels (PCA)", "enc/tokens", "clock", "last 3 actions"]
    layers = {row["layer"] for row in run.found["summary"]}
    assert layers == {"dyn/deter", *run.found["controls"]}
    for name in run.found["controls"]:
        blind = run.score("mean Euclidean error", name)
        assert blind["value"] > run.score("mean Euclidean error", "dyn/deter")["value"]


def test_the_untrained_network_stands_beside_every_number_of_a_layer(run):
    for row in run.found["summary"]:
        assert (row["control"] is None) == (
            row["layer"] in run.found["controls"][:1] + run.found["controls"][2:]
        )
    beside = run.score("mean Euclidean error", "dyn/deter")
    assert beside["value"] < 0.5 * beside["control"] and run.found["not_yet"] == []
    assert set(run.table["network"]) == {"trained", "untrained"}


def test_a_layer_no_better_than_a_control_is_named(tmp_path):
    layers = {"dyn/deter": synthetic.noise(3)}
    synthetic.recording(tmp_path / "trajectory.parquet", 6, 30, (4, 4), layers=layers)
    run = Run(tmp_path, untrained=True, controls=["clock"])
    assert any(note.startswith("No better than clock: dyn/deter") for note in run.found["notes"])


def test_past_actions_begin_one_row_before_and_stay_in_the_episode(tmp_path):
    path = tmp_path / "t.parquet"
    walks = synthetic.recording(path, 3, 12, (4, 4), layers=LAYERS)
    found = controls.past(path, 4, 6, np.arange(36)).reshape(3, 12, 4, 6)
    for index, walk in enumerate(walks):
        for step in range(12):
            for back in range(1, 5):
                told = np.flatnonzero(found[index, step, back - 1])
                wanted = [walk.action[step - back]] if step >= back else []
                assert told.tolist() == wanted


def test_past_actions_never_hold_the_action_that_is_chosen_after_the_row(tmp_path):
    path = tmp_path / "t.parquet"
    rng, rows = np.random.default_rng(0), 200
    walk = synthetic.Walk(
        0, *np.zeros((3, rows), int), rng.integers(0, 6, rows), np.full((1, 1), 2)
    )
    header = synthetic.header((1, 1), {})
    trajectory.write(path, header, [synthetic.columns(walk, {})])
    told = controls.past(path, 3, 6, np.arange(rows)).reshape(rows, 3, 6)
    chance = (told[:, 0].argmax(1) == walk.action).mean()
    assert chance < 0.35 and (told[1:, 0].argmax(1) == walk.action[:-1]).all()


def test_a_clock_tells_steps_apart_and_repeats_in_every_episode():
    step = np.tile(np.arange(50), 2)
    found = controls.bumps(step, 49)
    np.testing.assert_array_equal(found[:50], found[50:])
    gaps = np.linalg.norm(found[:50, None] - found[None, :50], axis=2)
    assert (gaps[~np.eye(50, dtype=bool)] > 0.1).all()


def test_pixels_of_the_rows_asked_for_are_read(tmp_path):
    path = tmp_path / "t.parquet"
    synthetic.recording(path, 2, 10, (4, 4), layers=LAYERS)
    pictures = controls.images(path, np.array([3, 12]))
    assert pictures.shape == (2, 64 * 64 * 3) and np.ptp(pictures) == 0
    assert pictures[0, 0] == pytest.approx(128 / 255)


def test_past_actions_may_reach_beyond_a_recording_of_one_row(tmp_path):
    path = tmp_path / "t.parquet"
    synthetic.recording(path, 1, 1, (4, 4), layers={"a": synthetic.noise(2)})
    assert not controls.past(path, 8, 6, np.array([0])).any()
    assert controls.past(path, 8, 6, np.zeros(0, int)).shape == (0, 48)


def test_a_test_recording_without_positions_leaves_decoders_and_a_sentence(tmp_path):
    paths = [tmp_path / "trajectory.parquet", tmp_path / "test.parquet"]
    for seed, path in enumerate(paths):
        absent = {"absent": ["x", "y"]} if seed else {}
        synthetic.recording(
            path, 3, 10, (4, 4), seed=seed, layers={"a": synthetic.noise(2)}, **absent
        )
    run = Run(tmp_path, paths[1], split="test", controls=CONTROLS, methods=["ridge"])
    assert "The test recording has no positions, so nothing could be tested." in run.found["notes"]
    assert run.found["summary"] == [] and decoders.load(run.decoders)[1].keys() == {"a"}


@pytest.mark.parametrize("lacking", ["image", "action"])
def test_a_control_that_only_the_test_recording_cannot_have_is_left_out(tmp_path, lacking):
    paths = [tmp_path / "trajectory.parquet", tmp_path / "test.parquet"]
    for seed, path in enumerate(paths):
        absent = {"absent": [lacking]} if seed else {}
        synthetic.recording(
            path, 3, 10, (4, 4), seed=seed, layers={"a": synthetic.noise(2)}, **absent
        )
    run = Run(tmp_path, paths[1], split="test", controls=CONTROLS, methods=["ridge"])
    assert any(f"the recording has no {lacking}" in note for note in run.found["notes"])
    assert {row["layer"] for row in run.found["summary"]} > {"a", "clock"}


def test_a_control_whose_column_is_missing_is_a_sentence(tmp_path):
    layers = {"dyn/deter": synthetic.one_hot}
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 4, 30, (4, 4), layers=layers, absent=["image"])
    run = Run(tmp_path, controls=CONTROLS, methods=["ridge"])
    assert "Control pixels (PCA): the recording has no image." in run.found["notes"]
    assert run.found["controls"] == ["clock", "last 3 actions"]


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seed": 3}, "the steps of"),
        ({"layers": {"dyn/deter": synthetic.noise(3)}}, "the layers of"),
    ],
)
def test_an_untrained_recording_of_other_steps_or_units_is_refused(tmp_path, change, sentence):
    known, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    settings = {"episodes": 2, "steps": 10, "area": (4, 4), "layers": LAYERS}
    synthetic.recording(known, **settings)
    synthetic.recording(other, **settings | change)
    control = {"trajectory": other, "test": None}
    with pytest.raises(Refused, match=sentence):
        position.networks(known, known, control, OPTIONS)


def test_a_test_split_needs_the_untrained_test_recording_too(tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, seed in zip(paths, (0, 1), strict=True):
        synthetic.recording(path, 2, 10, (4, 4), seed=seed, layers=LAYERS)
    with pytest.raises(Refused, match="give --untrained-test"):
        control = {"trajectory": paths[0], "test": None}
        position.networks(*paths, control, OPTIONS | {"split": "test"})


def test_with_a_test_recording_both_are_replayed(tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("train", "test", "blind", "blind_test")]
    for path, seed in zip(paths[:2], (0, 1), strict=True):
        synthetic.recording(path, 3, 20, (4, 4), seed=seed, layers=LAYERS)
    for path, copy in zip(paths[:2], paths[2:], strict=True):
        synthetic.blind(path, copy)
    control = {"trajectory": paths[2], "test": paths[3]}
    plans = position.networks(*paths[:2], control, OPTIONS | {"split": "test"})
    assert plans["untrained"].train.path == paths[2] and plans["untrained"].test.path == paths[3]
    np.testing.assert_array_equal(plans["untrained"].test.rows, plans["trained"].test.rows)
    assert isinstance(plans["untrained"], planning.Plan)
    assert isinstance(plans["untrained"].train, recording.Recording)
