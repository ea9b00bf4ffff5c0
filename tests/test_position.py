"""Position decoding as a command: what it finds, says, keeps and refuses."""

import numpy as np
import pytest

from analysis import (
    decode,
    decoders,
    parts,
    planning,
    position,
    position_notes,
    recording,
    sources,
)
from dreamer import trajectory
from jobs import files
from tests import synthetic

OPTIONS = {
    "cv": "episode",
    "controls": [],
    "pixel_components": 8,
    "last_actions": 3,
    "n_iters": 50,
    "patience": 0,
    "device": "cpu",
    "null_robust": False,
    "n_shift": 0,
    "leak": True,
    "methods": ["ridge", "robust"],
    "layers": [],
    "combined": True,
    "split": "episodes",
    "folds": 3,
    "holdout": 0.25,
    "max_samples": 10000,
    "min_bbox": 0,
    "ridge_strengths": [1e-5, 1e-2, 10.0],
    "robust_strengths": [1e-1, 1e-2, 1e-3],
    "tolerance": 1e-3,
    "n_null": 19,
    "seed": 0,
}
LAYERS = {
    "enc/tokens": synthetic.noise(6),
    "dyn/deter": synthetic.one_hot,
    "dyn/stoch": synthetic.place_fields(12),
}


class Run:
    """One call of the command in a folder, and what it wrote."""

    def __init__(self, folder, test=None, untrained=False, **changed):
        self.folder = folder
        self.options = {**OPTIONS, **changed}
        names = ("position.json", "steps.parquet", "decoders.safetensors")
        self.scores, self.steps, self.decoders = (folder / name for name in names)
        spec = synthetic.spec(folder / "spec.json", "position", self.options)
        path = folder / "trajectory.parquet"
        outputs = (self.scores, self.steps, self.decoders, folder / "work")
        control = folder / "untrained.parquet" if untrained else None
        if untrained:
            synthetic.blind(path, control)
        position.main(spec, path, test or path, *outputs, untrained=control)
        self.found = files.read_json(self.scores)
        self.table = trajectory.read_log(self.steps, "position_steps")[1]

    def score(self, name, layer, method="ridge"):
        wanted = {"score": name, "layer": layer, "representation": method}
        rows = [row for row in self.found["summary"] if wanted.items() <= row.items()]
        return rows[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("position")
    synthetic.recording(folder / "trajectory.parquet", 12, 60, (5, 5), layers=LAYERS)
    return Run(folder)


def test_a_layer_that_holds_the_position_beats_chance_and_noise_does_not(run):
    for method in ("ridge", "robust"):
        exact = run.score("mean Euclidean error", "dyn/deter", method)
        blind = run.score("mean Euclidean error", "enc/tokens", method)
        assert exact["value"] < 0.1 * exact["chance"]
        assert blind["value"] > 0.9 * blind["chance"]
    assert run.score("cross-entropy", "dyn/deter", "robust")["value"] < 1
    assert run.score("top-1 accuracy", "dyn/deter")["value"] > 0.97


def test_swapped_episodes_tell_a_spatial_layer_from_noise(run):
    assert run.score("p against swaps", "dyn/deter")["value"] == pytest.approx(1 / 20)
    assert run.score("p against swaps", "enc/tokens")["value"] > 0.05
    swapped = run.score("mean Euclidean error, cut episodes", "dyn/deter")
    assert swapped["chance_name"] == "19 whole-episode swaps"
    assert swapped["value"] < 0.2 * swapped["chance"]


def test_every_number_of_the_table_has_a_chance_level_or_is_one(run):
    for row in run.found["summary"]:
        assert row["score"] == "p against swaps" or np.isfinite(row["chance"])
    names = {level["name"] for level in run.found["chance"]}
    assert len(names) == 4 and len(run.found["not_yet"]) == 1


def test_each_step_is_tested_once_by_a_decoder_that_never_saw_its_episode(run):
    one = run.table[(run.table["representation"] == "dyn/deter") & (run.table["method"] == "ridge")]
    assert len(one) == 720 and not one[["episode", "step"]].duplicated().any()
    assert one.groupby("episode")["fold"].nunique().max() == 1
    gap = np.hypot(one["x"] - one["true_x"], one["y"] - one["true_y"])
    np.testing.assert_allclose(one["error"], gap)
    assert gap.mean() == pytest.approx(run.score("mean Euclidean error", "dyn/deter")["value"])


def test_the_saved_decoders_were_fitted_on_all_episodes_and_name_their_data(run):
    header, found = decoders.load(run.decoders)
    path = run.folder / "trajectory.parquet"
    assert header["inputs"]["trajectory"] == files.sha256(path)
    assert set(found) == {*LAYERS, "combined"}
    assert found["combined"]["robust"].layers == ("dyn/deter", "dyn/stoch")
    activity = recording.activity(path, ["dyn/deter"])
    guess = decoders.apply(found["dyn/deter"]["robust"], activity)
    assert (guess.point == recording.load(path).position).mean() > 0.99


def test_probability_maps_are_brightest_where_the_agent_is(run):
    for item in run.found["details"]["dyn/deter"]["probmaps"]["robust"]:
        best = int(np.argmax(item["p"]))
        assert [item["x"][best], item["y"][best]] == item["tile"]


def test_equal_work_gives_equal_bytes_and_leaves_no_work_folder(run, tmp_path):
    (tmp_path / "trajectory.parquet").symlink_to(run.folder / "trajectory.parquet")
    again = Run(tmp_path)
    for name in ("scores", "steps", "decoders"):
        assert getattr(run, name).read_bytes() == getattr(again, name).read_bytes()
    assert not (tmp_path / "work").exists()


def test_a_killed_job_goes_on_with_the_layer_it_was_at(tmp_path, monkeypatch):
    synthetic.recording(tmp_path / "trajectory.parquet", 6, 30, (4, 4), layers=LAYERS)
    real, seen = decode.evaluate, []

    def evaluate(plan, source, options):
        seen.append(*source.layers)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(plan, source, options)

    monkeypatch.setattr(decode, "evaluate", evaluate)
    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, combined=False)
    assert not (tmp_path / "position.json").exists()
    Run(tmp_path, combined=False)
    assert seen == ["enc/tokens", "dyn/deter", "dyn/deter", "dyn/stoch"]


def test_finished_layers_are_read_back_as_they_were(tmp_path):
    synthetic.recording(tmp_path / "t.parquet", 6, 30, (4, 4), layers=LAYERS)
    read = recording.load(tmp_path / "t.parquet")
    plan = planning.make(read, read, OPTIONS)
    columns, fitted, details = decode.evaluate(plan, sources.Source(("dyn/deter",)), OPTIONS)
    kept = parts.finished(tmp_path, "dyn/deter", lambda: (columns, fitted, details))
    for method, values in columns.items():
        for name in values:
            np.testing.assert_array_equal(kept[0][method][name], values[name])
    np.testing.assert_array_equal(kept[1]["ridge"].weights, fitted["ridge"].weights)


@pytest.mark.parametrize("split", ["holdout", "test"])
def test_the_other_splits_hold_whole_episodes_apart(tmp_path, split):
    synthetic.recording(tmp_path / "trajectory.parquet", 8, 40, (4, 4), layers=LAYERS)
    other = tmp_path / "test.parquet"
    synthetic.recording(other, 3, 40, (4, 4), seed=9, layers=LAYERS)
    run = Run(tmp_path, other, split=split, layers=["dyn/deter"], methods=["ridge"])
    assert run.found["tested_on"] == ("test" if split == "test" else "trajectory")
    assert run.found["test_episodes"] == (3 if split == "test" else 2)
    assert run.found["training_steps"] == [320 if split == "test" else 240]
    assert run.score("mean Euclidean error", "dyn/deter")["value"] < 0.2


def test_samples_and_boxes_limit_what_is_decoded(tmp_path):
    synthetic.recording(tmp_path / "trajectory.parquet", 12, 40, (6, 6), layers=LAYERS)
    run = Run(tmp_path, max_samples=150, layers=["dyn/deter"], methods=["ridge"])
    assert run.found["test_steps"] == 150
    none = Run(tmp_path, min_bbox=1000, layers=["dyn/deter"], methods=["ridge"])
    assert none.found["summary"] == [] and "No episode" in " ".join(none.found["notes"])


def test_one_episode_says_so_and_still_gives_decoders_for_dreams(tmp_path):
    synthetic.recording(tmp_path / "trajectory.parquet", 1, 40, (4, 4), layers=LAYERS)
    run = Run(tmp_path)
    assert run.found["summary"] == [] and len(run.table) == 0
    assert "not two episodes" in " ".join(run.found["notes"])
    assert set(decoders.load(run.decoders)[1]) == {*LAYERS, "combined"}


def test_activity_that_is_not_finite_is_named_and_left_out(tmp_path):
    layers = {"bad": lambda item, _: np.full((len(item.x), 2), np.nan), "good": synthetic.one_hot}
    synthetic.recording(tmp_path / "trajectory.parquet", 4, 30, (4, 4), layers=layers)
    run = Run(tmp_path, methods=["ridge"])
    assert "bad holds values that are not finite" in run.found["notes"][0]
    assert set(run.table["representation"]) == {"good"}


def test_an_agent_that_was_told_its_position_is_marked_wherever_it_was_trained(tmp_path):
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 4, 20, (4, 4), layers=LAYERS, told_position=True)
    run = Run(tmp_path, methods=["ridge"], layers=["dyn/deter"])
    assert run.found["told_position"] and "received its position" in run.found["notes"][0]


def test_guesses_outside_the_world_are_counted_as_they_are_and_told():
    table = [{"method": ["ridge"], "x": np.array([-3.0, 1, 2, 9]), "y": np.zeros(4)}]
    (told,) = position_notes.outside(table, (5, 5))
    assert told.startswith("50% of ridge's guesses lie outside the world")
    assert position_notes.outside([], (5, 5)) == []


def test_without_terrain_there_are_no_path_lengths_but_all_else(tmp_path):
    absent = ["terrain", "terrain_changed", "facing"]
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 4, 30, (4, 4), layers=LAYERS, absent=absent)
    run = Run(tmp_path, layers=["dyn/deter"], methods=["ridge"])
    assert "No terrain" in " ".join(run.found["notes"])
    scores = {row["score"] for row in run.found["summary"]}
    assert "mean path length" not in scores and "mean Euclidean error" in scores


def test_without_positions_it_says_so_and_decodes_nothing(tmp_path):
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 4, 30, (4, 4), layers=LAYERS, absent=["x", "y"])
    run = Run(tmp_path)
    assert run.found["summary"] == [] and "no positions" in run.found["notes"][0]
    assert decoders.load(run.decoders)[1] == {}


def test_the_classifier_is_re_trained_under_swaps_too_and_shifts_are_labelled(tmp_path):
    path = tmp_path / "trajectory.parquet"
    layers = {"dyn/deter": synthetic.one_hot, "noise": synthetic.noise(4)}
    synthetic.recording(path, 12, 30, (4, 4), layers=layers)
    run = Run(tmp_path, null_robust=True, n_null=4, n_shift=3)
    for method in ("ridge", "robust"):
        swapped = run.score("mean Euclidean error, cut episodes", "dyn/deter", method)
        assert swapped["value"] < 0.3 * swapped["chance"]
        assert run.score("p against swaps", "dyn/deter", method)["value"] == pytest.approx(0.2)
        turned = run.score("mean Euclidean error, one fold", "dyn/deter", method)
        assert turned["chance_name"] == "3 circular shifts (not calibrated)"
        blind = run.score("mean Euclidean error, cut episodes", "noise", method)
        assert blind["value"] > 0.75 * blind["chance"]
    notes = " ".join(run.found["notes"])
    assert "one outer split" in notes and "not calibrated" in notes


def test_the_published_method_is_decoded_like_the_others_where_it_is_asked_for(tmp_path):
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 6, 30, (4, 4), layers={"dyn/deter": synthetic.one_hot})
    run = Run(tmp_path, methods=["prnn"], n_iters=800)
    assert run.score("top-1 accuracy", "dyn/deter", "prnn")["value"] > 0.9
    assert np.isfinite(run.score("cross-entropy", "dyn/deter", "prnn")["value"])
    assert decoders.load(run.decoders)[1]["dyn/deter"]["prnn"].weights.shape == (16, 16)


def test_a_single_visited_tile_is_decoded_without_a_crash(tmp_path):
    path = tmp_path / "trajectory.parquet"
    synthetic.recording(path, 4, 20, (1, 1), layers={"dyn/deter": synthetic.noise(3)})
    run = Run(tmp_path, methods=["ridge", "robust"])
    assert run.score("mean Euclidean error", "dyn/deter")["value"] == pytest.approx(0, abs=1e-5)
    assert run.score("top-1 accuracy", "dyn/deter", "robust")["value"] == 1
