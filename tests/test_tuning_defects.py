"""Mistakes of published tuning analyses, each shown on data where it would be seen.

Two more stand where their function is tested: the autocorrelation of a map that keeps its mean and
the border score in test_map_measures, explained variance of training data in test_planted.
"""

import numpy as np
import pynapple as nap
import pytest

from analysis import information, rate_maps, swaps, tuning, tuning_steps
from dreamer import trajectory
from jobs.errors import Refused
from tests import synthetic
from tests.test_tuning import OPTIONS, run


def facing_units(item, _):
    """[T, 4]: one unit per facing."""
    return 1.0 * (item.facing[:, None] == np.arange(4))


def test_left_and_down_are_not_merged_in_head_direction(tmp_path, monkeypatch):
    """An angle histogram with four bins on (-pi, pi) puts both into one bin."""
    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": facing_units})
    facing = trajectory.read(tmp_path / "t.parquet", ["facing"])["facing"]
    share = [(facing == name).mean() for name in trajectory.FACINGS]
    np.testing.assert_allclose(table["hd"], -np.log2(share), rtol=1e-6)
    assert (table["facing_gain"] > 0.8).all()


def test_occupancy_and_tuning_are_binned_alike(tmp_path, monkeypatch):
    """Two histograms with edges of their own divide activity by the time spent elsewhere."""

    def everywhere(item, _):
        return np.stack([np.full(len(item.x), 3.0), item.x], 1)

    _, maps, _ = run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": everywhere})
    flat, ramp = maps["a"]
    seen = maps["occupancy"] >= OPTIONS["min_occupancy"]
    np.testing.assert_array_equal(np.isfinite(flat), seen)
    assert (flat[seen] == 3).all() and np.array_equal(ramp[seen], np.nonzero(seen)[0])


def test_border_cells_can_be_found(tmp_path, monkeypatch):
    """Published border scores compared with a distance that no tile has."""

    def wall(item, rng):
        return (item.x == 0)[:, None] + 0.3 * rng.normal(size=(len(item.x), 3))

    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": wall})
    assert (table["border_share"] > 0.6).all() and (table["border_contrast"] > 0).all()
    assert (table["border_score"] > 0).all()


def test_negative_activity_does_not_silently_become_a_wrong_number():
    """pynapple drops or miscounts what lies below zero and says nothing."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (2, 4000))
    unit = np.where(x == 2, 1.0, -3.0)[:, None]
    times = np.arange(4000.0)
    place = nap.TsdFrame(times, np.stack([x, y], 1).astype(float), columns=["x", "y"])
    edges = {"bins": [6, 6], "range": [(-0.5, 5.5)] * 2}
    curves = nap.compute_tuning_curves(nap.TsdFrame(times, unit), place, **edges)
    theirs = nap.compute_mutual_information(curves, rates=unit.mean(0))["bits/spike"].to_numpy()
    tiles = rate_maps.tiles(x, y, (6, 6))
    true = information.information(information.transformed(unit, "minshift"), tiles)
    assert true == pytest.approx(np.log2(6), abs=0.1) and not np.isclose(theirs, true, atol=0.5)
    assert np.isnan(information.information(unit, tiles))


def test_a_subsample_is_drawn_and_not_the_first_units(tmp_path, monkeypatch):
    """The first N units of a convolution are one corner of the image."""
    layers = {"a": synthetic.noise(60)}
    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 0, "max_units": 12}, layers=layers)
    assert len(table) == 12 and list(table["unit"]) != list(range(12))
    assert table["unit"].max() > 30 and table["unit"].is_monotonic_increasing


def test_a_unit_that_is_hardly_ever_active_carries_no_information(tmp_path, monkeypatch):
    """Without a minimum of activity the most informative unit is the one that fired once."""

    def once(item, rng):
        return np.stack([(item.episode == 3) * (np.arange(len(item.x)) == 7), item.x], 1) * 1.0

    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": once})
    assert list(table["rarely_active"]) == [True, False]
    assert table["si"][0] == 0 < table["si"][1]
    lenient = run(tmp_path, monkeypatch, {"n_null": 0, "min_active": 1}, layers={"a": once})[0]
    assert lenient["si"][0] > 3 * lenient["si"][1]


def test_circular_shifts_stay_within_episodes_and_are_labelled(tmp_path, monkeypatch):
    """The usual null calls slow units tuned; it is an option and says so wherever it shows."""
    episode = np.repeat([0, 1, 2], [1, 5, 30])
    rows = swaps.shift(episode, np.random.default_rng(0))
    assert (episode[rows] == episode).all() and sorted(rows) == list(range(36))
    assert set((rows[6:] - np.arange(6, 36)) % 30) != {0} and len(set(np.diff(rows[6:]))) == 2
    layers, options = {"a": synthetic.noise(5)}, {"n_null": 19, "null_method": "shifts"}
    _, _, scores = run(tmp_path, monkeypatch, options, layers=layers, episodes=4)
    assert any("not calibrated for slow units" in note for note in scores["notes"])
    assert all("not calibrated" in row["chance_name"] for row in scores["summary"][:6])


def test_another_recording_can_be_the_test_of_explained_variance(tmp_path, monkeypatch):
    def place(item, rng):
        return synthetic.place_fields(6, 2.5)(item, rng) + 0.1 * rng.normal(size=(len(item.x), 6))

    layers = {"a": place}
    synthetic.recording(tmp_path / "test.parquet", 12, 120, seed=5, layers=layers)
    inputs = {"test": tmp_path / "test.parquet"}
    options = {"n_null": 9, "test": True}
    table, maps, scores = run(tmp_path, monkeypatch, options, inputs, layers=layers)
    assert (table["ev_place"] > 0.5).all() and (table["ev_place_p"] == 0.1).all()
    assert maps["occupancy"].sum() == 24 * 120
    assert any("tested on another recording (1,440 steps)" in note for note in scores["notes"])
    copies = inputs | {"untrained": tmp_path / "t.parquet", "untrained_test": inputs["test"]}
    both = run(tmp_path, monkeypatch, {"n_null": 0, "test": True}, copies, layers=layers)[0]
    np.testing.assert_array_equal(both["ev_place"][:6], both["ev_place"][6:])
    folded = run(tmp_path, monkeypatch, {"n_null": 0}, inputs, layers=layers)[0]
    assert not np.allclose(folded["ev_place"], table["ev_place"])
    np.testing.assert_allclose(folded["si"], table["si"])


def test_small_episodes_can_be_left_out_and_facing_switched_off(tmp_path, monkeypatch):
    layers, options = {"a": synthetic.noise(3)}, {"n_null": 0, "hd": False, "min_bbox": 30}
    table, maps, scores = run(tmp_path, monkeypatch, options, layers=layers, steps=25)
    assert 0 < maps["occupancy"].sum() < 24 * 25 and maps["occupancy"].sum() % 25 == 0
    assert table["hd"].isna().all() and table["action_gain"].notna().all()
    with pytest.raises(Refused, match="no episode of .* covers 65 tiles"):
        run(tmp_path, monkeypatch, {"min_bbox": 65}, layers=layers)


def test_an_untrained_recording_of_other_steps_is_refused(tmp_path):
    ours, theirs = tmp_path / "t.parquet", tmp_path / "u.parquet"
    for path, seed in ((ours, 0), (theirs, 1)):
        synthetic.recording(path, 3, 20, seed=seed, layers={"a": synthetic.noise(2)})
    with pytest.raises(Refused, match="does not hold the same steps"):
        tuning.compared([ours], [theirs])
    synthetic.recording(theirs, 3, 20, layers={"a": synthetic.noise(4)})
    with pytest.raises(Refused, match="a is 2 units in .* and 4 units"):
        tuning.compared([ours], [theirs])
    with pytest.raises(Refused, match="give --untrained-test"):
        tuning.compared([ours, ours], [theirs])


def test_a_layer_is_read_in_pieces_that_fit_together(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    synthetic.recording(path, 5, 20, layers={"a": synthetic.noise(7)})
    monkeypatch.setattr(tuning_steps, "PIECE", 33)
    found = tuning_steps.read(path, path, 0).activity([path, path], "a", [1, 4])
    whole = trajectory.read(path, ["a"])["a"][:, [1, 4]]
    np.testing.assert_array_equal(found, np.concatenate([whole, whole]))
