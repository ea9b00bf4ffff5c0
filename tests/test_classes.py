"""Cell classes: the rules, what missing numbers do, and the shares beside chance and control."""

import numpy as np
import pytest

from analysis import cell_rules, class_scores, classes
from analysis.rows import doubts, row
from dreamer import trajectory
from jobs import files
from tests import synthetic
from tests.test_tuning import KINDS, run

OPTIONS = {
    "preset": "default", "spatial_gain": 0.05, "facing_gain": 0.1, "border_share": 0.6,
    "ev_place": 0.3, "cover": 0.25, "well_tuned": 0.3, "SI_thresh": 0.5, "EV_thresh": 0.5,
    "EV_unthresh": 0.15, "HD_thresh": 0.5, "border_thresh": 0.0, "border_symmetry": 3.0,
    "place_symmetry": 3.0, "plots": True,
}  # fmt: skip
PLACE = {
    "dead": False, "finite": True, "faced": True, "spatial_gain": 0.5, "facing_gain": 0.0,
    "ev_place": 0.5, "ev_both": 0.5, "border_share": 0.2, "border_contrast": 1.0, "fields": 1,
    "cover": 0.1, "ev_unshrunk": 0.6, "si": 1.0, "hd": 0.0, "border_score": -0.1, "peaks": 1,
    "asymmetry": 1.2,
}  # fmt: skip


def name(preset="default", **changes):
    """The class of one unit that is a place cell but for some changes."""
    metrics = {key: np.array([value]) for key, value in (PLACE | changes).items()}
    return cell_rules.classify(metrics, OPTIONS | {"preset": preset})[0]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "place"),
        ({"dead": True}, "dead"),
        ({"finite": False}, "not classified"),
        ({"spatial_gain": 0.05, "facing_gain": 0.1}, "untuned"),
        ({"spatial_gain": 0.05, "facing_gain": 0.3}, "head direction"),
        ({"facing_gain": 0.3}, "spatial + HD"),
        ({"border_share": 0.7}, "border"),
        ({"border_share": 0.7, "border_contrast": -1.0}, "place"),
        ({"border_share": 0.7, "border_contrast": np.nan}, "place"),
        ({"border_share": np.nan}, "place"),
        ({"fields": 2}, "spatially tuned, other"),
        ({"cover": 0.3}, "spatially tuned, other"),
        ({"ev_place": 0.3}, "spatially tuned, other"),
        ({"spatial_gain": np.nan, "ev_place": np.nan}, "not classified"),
        ({"facing_gain": np.nan}, "place"),
    ],
)
def test_the_first_rule_that_fits_names_the_class(changes, expected):
    assert name(**changes) == expected


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "place"),
        ({"ev_unshrunk": 0.1, "si": 0.4}, "untuned"),
        ({"ev_unshrunk": 0.1, "si": 0.4, "hd": 0.6}, "head direction"),
        ({"border_score": 0.1, "asymmetry": 4.0}, "border"),
        ({"peaks": 2}, "spatially tuned, other"),
        ({"peaks": 2, "hd": 0.6}, "spatial + HD"),
        ({"peaks": 2, "si": 0.4, "ev_unshrunk": 0.4}, "other"),
        ({"asymmetry": np.nan}, "spatially tuned, other"),
        ({"dead": True, "asymmetry": np.nan}, "dead"),
    ],
)
def test_the_published_rules_are_kept_for_comparison(changes, expected):
    assert name("published", **changes) == expected


def test_without_facing_a_unit_counts_as_spatial_by_what_position_explains():
    missing = {"faced": False, "spatial_gain": np.nan, "facing_gain": np.nan, "ev_both": np.nan}
    assert name(**missing) == "place"
    assert name(**missing | {"ev_place": -0.1}) == "untuned"


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The folder of a measured recording of planted units beside one of noise, untrained."""
    folder = tmp_path_factory.mktemp("classes")
    synthetic.recording(folder / "u.parquet", 24, 120, layers={"dyn/deter": synthetic.noise(119)})
    with pytest.MonkeyPatch.context() as patch:
        run(folder, patch, inputs={"untrained": folder / "u.parquet"})
    return folder


def named(folder, monkeypatch, **options):
    """(table of classes, scores) by the command."""
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS | options)
    inputs = (folder / "tuning.parquet", folder / "null.parquet")
    classes.main(None, *inputs, folder / "c.parquet", folder / "c.json")
    return trajectory.read_log(folder / "c.parquet", "cell_classes")[1], files.read_json(
        folder / "c.json"
    )


def test_every_unit_of_both_networks_has_a_class(tables, monkeypatch):
    table, _ = named(tables, monkeypatch)
    trained = table[table["network"] == "trained"]["class"].to_numpy()
    assert len(table) == 238 and set(trained[KINDS["facing"]]) == {"head direction"}
    assert "untuned" not in trained[KINDS["place"]] and trained[KINDS["dead"]] == "dead"
    untuned = table["class"].to_numpy() == "untuned"
    assert untuned[KINDS["noise"]].mean() > 0.95 and untuned[119:].mean() > 0.95


def test_shares_count_the_classes_of_the_steps_that_the_swaps_use(tables, monkeypatch):
    table, scores = named(tables, monkeypatch)
    rows = {row["score"]: row["value"] for row in scores["summary"]}
    trained = table[table["network"] == "trained"]["class_cut"]
    for kind in ("place", "head direction", "spatially tuned, other"):
        assert rows[kind] == pytest.approx((trained == kind).mean())


def test_what_a_recording_cannot_show_is_not_counted(tmp_path, monkeypatch):
    absent = ["facing", "terrain", "terrain_changed"]
    run(tmp_path, monkeypatch, {"n_null": 2}, absent=absent, layers={"a": synthetic.noise(3)})
    _, scores = named(tmp_path, monkeypatch)
    shown = {row["score"] for row in scores["summary"]}
    assert {"place", "units with variance explained by position above 0.05"} <= shown
    assert not {"border", "head direction", "spatial + HD"} & shown


def test_each_share_stands_beside_chance_and_the_untrained_network(tables, monkeypatch):
    _, scores = named(tables, monkeypatch)
    rows = {row["score"]: row for row in scores["summary"]}
    assert all(row["chance"] is not None and row["layer"] == "dyn/deter" for row in rows.values())
    spatial = rows["units with spatial gain above 0.05"]
    assert spatial["value"] == pytest.approx(10 / 119, abs=0.01) and spatial["chance"] < 0.02
    assert spatial["control"] < 0.02
    assert rows["head direction"]["value"] == pytest.approx(8 / 119)
    well = rows["head direction, of well-tuned units"]
    assert well["value"] == pytest.approx(8 / 18, abs=0.05) and well["control"] is None
    assert scores["not_yet"] == []


def test_a_share_that_does_not_beat_chance_or_control_is_named_in_a_warning(tables, monkeypatch):
    _, scores = named(tables, monkeypatch, spatial_gain=0.99)
    assert not any(note.startswith("No better than") for note in scores["notes"])  # 0 of 0
    rows = [row("place", 0.1, "share", "high", 0.2, "swaps", layer, control=0.1) for layer in "ab"]
    assert list(doubts(rows)) == [
        "No better than their chance level: place (a, b).",
        "No better than the untrained network: place (a, b).",
    ]


def test_a_missing_control_is_said(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": synthetic.noise(3)})
    _, scores = named(tmp_path, monkeypatch)
    assert scores["not_yet"] == [class_scores.NO_CONTROL]
    assert any("Untrained networks have" in note for note in scores["notes"])
    assert all(row["control"] is None and row["chance"] is None for row in scores["summary"])


def test_the_published_rules_are_labelled_wherever_they_show(tables, monkeypatch):
    _, scores = named(tables, monkeypatch, preset="published")
    kinds = [row["score"] for row in scores["summary"] if row["score"] != "well-tuned units"]
    assert kinds and all("(published rules)" in score for score in kinds)
    assert "for comparison only" in scores["notes"][0]


def test_a_threshold_needs_no_new_measurement(tables, monkeypatch):
    strict, _ = named(tables, monkeypatch, facing_gain=0.95, spatial_gain=0.95)
    assert set(strict["class"]) == {"untuned", "dead"}


def test_equal_tables_give_equal_bytes(tables, monkeypatch):
    written = []
    for _ in range(2):
        named(tables, monkeypatch)
        written.append([(tables / name).read_bytes() for name in ("c.parquet", "c.json")])
    assert written[0] == written[1]


def test_a_layer_of_dead_units_has_no_class_but_dead(tmp_path, monkeypatch):
    run(
        tmp_path,
        monkeypatch,
        {"n_null": 2},
        layers={"a": lambda item, _: np.ones((len(item.x), 3))},
    )
    table, _ = named(tmp_path, monkeypatch)
    assert list(table["class"]) == ["dead"] * 3
