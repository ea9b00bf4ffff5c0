"""Coverage and evenness of a path, on ground whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from analysis import behavior, coverage
from jobs import files
from tests import synthetic

OPTIONS = {"walks": 20, "seed": 0}


def run(tmp_path, monkeypatch, **recording):
    """Scores of the command on a synthetic recording."""
    walks = synthetic.recording(tmp_path / "t.parquet", **recording)
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS)
    behavior.main(tmp_path / "spec", tmp_path / "t.parquet", tmp_path / "b.json")
    return files.read_json(tmp_path / "b.json"), walks


def test_only_tiles_within_reach_on_foot_count():
    walkable = np.array([[1, 1, 0, 1], [1, 0, 1, 1]], bool)
    mask = coverage.reachable(walkable, np.array([[0, 0]]))
    assert mask.tolist() == [[True, True, False, False], [True, False, False, False]]


def test_coverage_and_divergence_of_known_visits():
    visits = np.array([[4, 4, 0, 0], [1, 1, 1, 1], [9, 0, 0, 0]])
    assert coverage.covered(visits).tolist() == [0.5, 1, 0.25]
    np.testing.assert_allclose(coverage.divergence(visits), [1, 0, 2])


def test_the_random_walk_stays_on_the_ground_and_counts_every_step():
    rng = np.random.default_rng(0)
    mask = np.ones((5, 4), bool)
    mask[2, :3] = False
    starts, lengths = np.array([[0, 0], [4, 3]]), np.array([30, 7])
    visits = coverage.random_walk(mask, starts, lengths, 3, rng)
    assert visits.shape == (3, mask.sum()) and (visits.sum(axis=1) == 37).all()
    alone = coverage.random_walk(np.ones((1, 1), bool), np.array([[0, 0]]), np.array([9]), 2, rng)
    assert alone.tolist() == [[9], [9]]


def test_a_long_random_walk_becomes_uniform():
    mask, rng = np.ones((4, 4), bool), np.random.default_rng(1)
    starts = rng.integers(0, 4, (400, 2))
    visits = coverage.random_walk(mask, starts, np.full(400, 50), 1, rng)
    assert coverage.divergence(visits)[0] < 0.01


def test_scores_of_a_recording_stand_beside_a_random_walk(tmp_path, monkeypatch):
    found, walks = run(tmp_path, monkeypatch, episodes=6, steps=40)
    rows = {row["score"]: row for row in found["summary"]}
    tiles = {(x, y) for walk in walks for x, y in zip(walk.x, walk.y, strict=True)}
    share = rows["share of reachable walkable tiles visited"]
    assert share["value"] == pytest.approx(len(tiles) / 64)
    assert 0 < share["chance"] < 1 and share["chance_name"].startswith("random walk")
    even = found["ground"]
    assert even["uniform"]["divergence"] < even["agent"]["divergence"]
    assert rows["mean episode length"]["value"] == 39


def test_episodes_on_different_worlds_are_pooled_not_overlaid():
    open_ground, one_tile = np.ones((2, 2), bool), np.diag([True, False])
    path = {0: [(0, 0), (1, 0), (1, 1)], 1: [(0, 0)]}
    found = behavior.wandering(steps(path), [(open_ground, [0]), (one_tile, [1])], 5, 0)
    assert found["worlds"] == 2 and found["tiles"] == 5
    assert found["agent"]["coverage"] == pytest.approx(4 / 5)
    assert found["agent"]["divergence"] == pytest.approx((2 - np.log2(3)) * 3 / 4)
    assert any("2 worlds" in note for note in behavior.notes(found, {"return": 0.0}, 4))


def test_steps_on_ground_dug_by_the_agent_are_counted_apart():
    ground = np.array([[True, True], [False, False]])
    found = behavior.wandering(steps({0: [(0, 0), (1, 0), (1, 0)]}), [(ground, [0])], 5, 0)
    assert (found["tiles"], found["off"]) == (2, 2) and found["agent"]["coverage"] == 0.5
    assert any("2 of 3 steps" in note for note in behavior.notes(found, {"return": 0.0}, 3))


def steps(paths):
    """Table of the steps of {episode: [(x, y)]}."""
    rows = [(name, step, *place) for name, path in paths.items() for step, place in enumerate(path)]
    return pd.DataFrame(rows, columns=["episode", "step", "x", "y"])


def test_without_terrain_a_sentence_says_so(tmp_path, monkeypatch):
    found, _ = run(tmp_path, monkeypatch, episodes=1, absent=["terrain", "terrain_changed"])
    assert found["notes"] == [
        "The recording holds no terrain, so the share of tiles visited cannot be told."
    ]
    assert [row["score"] for row in found["summary"]] == [
        "mean episode length",
        "mean episode return",
    ]


def test_without_positions_lengths_and_returns_remain(tmp_path, monkeypatch):
    found, _ = run(tmp_path, monkeypatch, episodes=3, steps=8, absent=["x", "y"])
    assert "has no positions" in found["notes"][0] and found["ground"] is None
    assert {row["score"]: row["value"] for row in found["summary"]} == {
        "mean episode length": 7, "mean episode return": 0,
    }  # fmt: skip
