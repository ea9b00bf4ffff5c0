"""Tuning curves: planted units are found, noise is not, and every number has its chance level."""

import numpy as np
import pytest

from analysis import (
    layer_figures,
    tuning,
    tuning_notes,
    tuning_scores,
    tuning_steps,
    unit_metrics,
)
from analysis.unit_metrics import Behaviour
from dreamer import trajectory
from jobs import files
from jobs.errors import Refused
from tests import synthetic

OPTIONS = {
    "min_occupancy": 5, "transform": "minshift", "active_eps": 1e-6, "min_active": 200,
    "layers": [], "max_units": 0, "folds": 5, "n_null": 19, "null_method": "swaps", "seed": 0,
    "hd": True, "test": False, "min_bbox": 0,
}  # fmt: skip
OUTPUTS = ("tuning.parquet", "null.parquet", "maps.npz", "tuning.json")
KINDS = {"place": slice(0, 10), "facing": slice(10, 18), "noise": slice(18, 118), "dead": 118}


def planted(item, rng):
    """[T, 119]: 10 place units, 8 head-direction units, 100 noise units, a dead one."""
    steps = len(item.x)
    place = synthetic.place_fields(10, 2.5)(item, rng)
    facing = (item.facing[:, None] == np.arange(8) % 4) * 1.0
    clean = np.concatenate([place / 0.3, facing / 0.4], 1)
    noisy = clean + 0.5 * rng.normal(size=clean.shape) - 3
    return np.concatenate([noisy, rng.normal(size=(steps, 100)), np.full((steps, 1), 0.25)], 1)


def run(tmp_path, monkeypatch, options=None, inputs=None, **recording):
    """(table of units, maps, scores) of the command on a synthetic recording."""
    settings = {"episodes": 24, "steps": 120, "layers": {"dyn/deter": planted}} | recording
    synthetic.recording(tmp_path / "t.parquet", **settings)
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS | (options or {}))
    paths = [tmp_path / name for name in OUTPUTS]
    tuning.main(tmp_path / "spec", tmp_path / "t.parquet", *paths, **(inputs or {}))
    table = trajectory.read_log(paths[0], "tuning")[1]
    return table, dict(np.load(paths[2])), files.read_json(paths[3])


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield run(tmp_path_factory.mktemp("tuning"), patch)


def test_planted_place_units_have_high_spatial_gain_and_significant_information(measured):
    table, _, _ = measured
    place = table[KINDS["place"]]
    assert (place["spatial_gain"] > 0.3).all() and (place["spatial_gain_p"] <= 0.05).all()
    assert (place["si"] > place["si_null"]).all() and (place["si_p"] <= 0.05).all()
    assert (place["facing_gain"] < 0.1).all()


def test_head_direction_units_are_found_in_all_four_directions(measured):
    facing = measured[0][KINDS["facing"]]
    assert (facing["facing_gain"] > 0.3).all() and (facing["hd"] > 4 * facing["hd_null"]).all()
    assert (facing["spatial_gain"] < 0.05).all() and np.ptp(facing["hd"]) < 0.1


def test_noise_is_not_tuned_and_its_p_values_are_about_uniform(measured):
    noise = measured[0][KINDS["noise"]]
    assert (noise["spatial_gain_p"] <= 0.05).mean() < 0.13
    assert noise["ev_place"].mean() <= 0 and (noise["spatial_gain"] < 0.05).all()
    for metric in ("si", "ev_place"):
        p = noise[f"{metric}_p"]
        assert 0.4 < p.mean() < 0.6 and (p <= 0.05).mean() < 0.13
        assert abs(noise[metric].mean() - noise[f"{metric}_null"].mean()) < noise[metric].std()


def test_a_dead_unit_is_flagged_and_has_no_explained_variance(measured):
    dead = measured[0].iloc[KINDS["dead"]]
    assert dead["dead"] and dead["si"] == 0 and np.isnan(dead["ev_place"])
    assert measured[0]["dead"].sum() == 1
    assert "1 of 119 units never vary." in measured[2]["notes"]


def test_every_summary_row_stands_beside_its_chance_level(measured):
    rows = {row["score"]: row for row in measured[2]["summary"]}
    assert all(row["chance"] is not None and row["chance_name"] for row in rows.values())
    assert rows["variance explained by position, median unit"]["value"] <= 0


def test_a_gain_of_two_maps_that_predict_worse_than_the_mean_is_nothing():
    both, other = np.array([-1.0, -1e4, 0.4, 0.4, np.nan]), np.array([-9.0, -2e6, -5.0, 0.3, 0.0])
    found = unit_metrics.gain(both, other)
    np.testing.assert_allclose(found, [-1, -1e4, 0.4, 0.1, np.nan])


def test_values_beside_a_chance_level_come_from_the_cut_episodes(measured):
    table, _, scores = measured
    rows = {row["score"]: row for row in scores["summary"]}
    for score, metric, function, _ in tuning_scores.statistics():
        if score in rows:
            assert rows[score]["value"] == pytest.approx(
                function(table[f"{metric}_cut"].to_numpy())
            )
    drawn = layer_figures.compared(table)
    np.testing.assert_array_equal(drawn["ev_place"], table["ev_place_cut"])
    assert any("same cut episodes" in note for note in scores["notes"])


def test_maps_and_occupancy_are_stored_for_every_unit(measured):
    table, maps, scores = measured
    assert maps["dyn/deter"].shape == (len(table), 8, 8) and maps["dyn/deter"].dtype == "float32"
    assert maps["occupancy"].sum() == 24 * 120 == scores["tiles"]["steps"]
    peak = np.unravel_index(np.nanargmax(maps["dyn/deter"][0]), (8, 8))
    centre = np.random.default_rng(0).uniform(size=(10, 2))[0] * 7
    assert np.linalg.norm(peak - centre) < 2


def test_negative_samples_are_reported_and_do_not_silence_a_unit(measured):
    table, _, scores = measured
    assert 0.4 < table[KINDS["noise"]]["negative"].mean() < 0.6
    assert (table[KINDS["place"]]["negative"] > 0.5).all() and (table["si"][:118] > 0).all()
    assert any("samples are negative" in note for note in scores["notes"])


def test_nan_activity_is_flagged_and_leaves_other_units_alone(tmp_path, monkeypatch, measured):
    def broken(item, rng):
        units = planted(item, rng)
        units[3, 20] = np.nan
        return units

    table, maps, scores = run(tmp_path, monkeypatch, layers={"dyn/deter": broken})
    assert not table["finite"][20] and np.isnan(maps["dyn/deter"][20]).all()
    others = table.drop(20)["ev_place"]
    np.testing.assert_allclose(others, measured[0].drop(20)["ev_place"], atol=1e-6)
    assert any("1 of 119 units have NaN" in note for note in scores["notes"])


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"episodes": 1}, "one episode only"),
        ({"episodes": 5}, "at least ten episodes"),
        ({"absent": ["facing"]}, "does not say which way the agent faces"),
        ({"absent": ["facing", "action"]}, "does not say which way the agent faces"),
    ],
)
def test_a_lacking_input_is_a_sentence(tmp_path, monkeypatch, settings, sentence):
    layers = {"a": synthetic.noise(5)}
    table, _, scores = run(tmp_path, monkeypatch, {"n_null": 2}, layers=layers, **settings)
    assert len(table) == 5 and np.isfinite(table["si"]).all()
    assert any(sentence in note for note in scores["notes"])


def test_a_fixed_start_is_called_a_confound():
    columns = {"is_first": np.array([1, 0, 1, 0], bool), "x": [2, 3, 2, 2], "y": [5, 5, 5, 6]}
    columns = {name: np.array(values) for name, values in columns.items()}
    unknown = Behaviour(None, None, None, None, None)
    assert "confound" in next(tuning_notes.behaviour(unknown, columns))
    columns["y"][2] = 4
    assert not any("confound" in note for note in tuning_notes.behaviour(unknown, columns))


def test_the_previous_action_is_the_one_that_led_to_the_step():
    columns = {
        "episode": np.array([0, 0, 0, 1, 1]), "is_first": np.array([1, 0, 0, 1, 0], bool),
        "action": np.array([3, 1, 0, 2, 5]), "x": np.zeros(5), "y": np.zeros(5),
    }  # fmt: skip
    steps = tuning_steps.Steps(columns, [np.arange(5)], 5, None)
    assert list(tuning_steps.behaviour(steps, (8, 8), 2).action) == [6, 3, 1, 6, 2]


def test_a_subsample_keeps_the_indices_of_the_full_layer():
    columns, units = tuning.chosen({"width": 50, "units": list(range(100, 200, 2))}, 5, seed=1)
    assert len(columns) == 5 and list(columns) != list(range(5))
    np.testing.assert_array_equal(units, 100 + 2 * columns)


def test_an_unknown_layer_is_refused_by_name(tmp_path, monkeypatch):
    with pytest.raises(
        Refused, match="names dyn/none, which was not recorded; there are dyn/deter"
    ):
        run(tmp_path, monkeypatch, {"layers": ["dyn/none"]}, episodes=2)


def test_equal_recordings_give_equal_bytes(tmp_path, monkeypatch):
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, monkeypatch, {"n_null": 2}, layers={"a": synthetic.noise(5)})
        written.append([(tmp_path / name / output).read_bytes() for output in OUTPUTS])
    assert written[0] == written[1]


def test_a_layer_of_dead_units_leaves_no_number_without_meaning(tmp_path, monkeypatch):
    def dead(item, _):
        return np.zeros((len(item.x), 3))

    table, _, scores = run(tmp_path, monkeypatch, {"n_null": 2}, layers={"a": dead})
    assert table["dead"].all()
    assert {row["score"] for row in scores["summary"]} <= {
        score for score, metric, _, _ in tuning_scores.statistics() if metric in ("si", "hd")
    }
