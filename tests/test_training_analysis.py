"""Training curves and scores are those of the logs; no other task passes for the benchmark."""

import numpy as np
import pytest

from analysis import training
from dreamer import options, trajectory
from jobs import files

OPTIONS = {"smoothing": 0.1, "losses": True, "achievements": True}


def logs(folder, configs, episodes=40, rows=50):
    """Write metrics.parquet and episodes.parquet of a training that halves its losses."""
    header = {
        "options": options.resolve(configs),
        "seed": 0,
        "achievements": ["collect_wood", "eat_cow"],
    }
    step = np.arange(rows) * 100
    fall = np.exp2(-np.linspace(0, 1, rows))
    metrics = {"step": step, "updates": step // 8, "loss/rec": 900 * fall, "loss/dyn": 4 * fall}
    metrics |= {"loss/policy": -fall, "opt/lr": fall}
    index = np.arange(episodes)
    ended = {
        "step": index * 100, "env": index % 4, "episode": index // 4,
        "score": index / 10, "length": 100 + index,
        "achievement_collect_wood": (index % 2) * 3, "achievement_eat_cow": index * 0,
    }  # fmt: skip
    trajectory.write_log(folder / "metrics.parquet", "metrics", header, metrics)
    trajectory.write_log(folder / "episodes.parquet", "episodes", header, ended)


def run(folder, monkeypatch, settings=None, **content):
    """(scores, curves) of the command."""
    logs(folder, **({"configs": ["crafter"]} | content))
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS | (settings or {}))
    names = ("metrics.parquet", "episodes.parquet", "training.json", "curves.parquet")
    training.main(folder / "spec", *(folder / name for name in names))
    scores = files.read_json(folder / "training.json")
    return scores, trajectory.read_log(folder / "curves.parquet", "training_curves")[1]


def rows(scores):
    return {row["score"]: row for row in scores["summary"]}


def test_the_score_of_the_benchmark_stands_beside_the_published_random_agent(tmp_path, monkeypatch):
    scores, _ = run(tmp_path, monkeypatch)
    found = rows(scores)["official Crafter score, training episodes"]
    assert found["value"] == pytest.approx(np.sqrt(51) - 1) and found["chance"] == 1.55
    assert scores["unlock_rates"] == {"collect_wood": 50.0, "eat_cow": 0.0}
    assert any("1,000,000 steps; this one had 4,900" in note for note in scores["notes"])


def test_the_score_of_another_task_is_not_compared_with_published_ones(tmp_path, monkeypatch):
    scores, _ = run(tmp_path, monkeypatch, configs=["crafter_small"])
    found = rows(scores)["Crafter score on another task, training episodes"]
    assert found["chance"] is None and "not comparable" in found["chance_name"]
    assert any("another task" in note and "32 × 32" in note for note in scores["notes"])


def test_losses_are_compared_with_their_own_start(tmp_path, monkeypatch):
    scores, _ = run(tmp_path, monkeypatch)
    found = rows(scores)["loss rec, last tenth of training"]
    assert rows(scores)["loss dyn, last tenth of training"]["chance"] is None
    assert found["chance"] == 900 and 450 < found["value"] < 490 and found["better"] == "low"
    assert scores["losses"]["rec"]["fall"] == pytest.approx(1 - found["value"] / 900)


def test_curves_hold_every_value_and_a_running_mean_of_the_stated_width(tmp_path, monkeypatch):
    _, curves = run(tmp_path, monkeypatch)
    shown = curves[curves["panel"] != "metrics"]
    assert set(shown["curve"]) == {"score", "length", "cumulative reward", "rec", "dyn", "policy"}
    assert set(curves[curves["panel"] == "metrics"]["curve"]) == {"opt/lr"}
    score = curves[curves["curve"] == "score"].reset_index()
    assert score["smooth"][20] == pytest.approx(score["value"][18:22].mean())
    total = curves[curves["curve"] == "cumulative reward"]["value"]
    assert total.iloc[-1] == pytest.approx(score["value"].sum())
    assert set(curves[curves["panel"] == "world model"]["curve"]) == {"rec", "dyn"}


def test_panels_can_be_left_out(tmp_path, monkeypatch):
    scores, curves = run(tmp_path, monkeypatch, {"losses": False, "achievements": False})
    assert set(curves["panel"]) == {"episodes"} and scores["unlock_rates"] == {}


@pytest.mark.parametrize("content", [{"episodes": 0}, {"rows": 0}, {"episodes": 1, "rows": 1}])
def test_a_training_too_short_for_a_number_is_told_in_words(tmp_path, monkeypatch, content):
    scores, _ = run(tmp_path, monkeypatch, **content)
    said = "No training episode ended, so there is no score." in scores["notes"]
    assert said == (content.get("episodes") == 0)
