"""Curves of the phases of an agent that learns from data are those of its logs, held out too."""

import numpy as np
import pytest

from analysis import phases, plot_phases, report
from dreamer import options, trajectory
from jobs import files

NAMES = ("tokenizer", "dynamics", "finetune", "imagination")
OPTIONS = {"smoothing": 0.1, "losses": True, "achievements": True}


def log(folder, name, rows=20):
    """The metrics of a phase that halves its loss, looked at in held-out data twice."""
    fall = np.exp2(-np.linspace(0, 1, rows))
    held = np.where(np.arange(rows) % 10 == 9, fall + 0.1, np.nan)
    header = {
        "phase": name,
        "agent": "v4",
        "seed": 0,
        "options": options.resolve((), {"agent": "v4"}),
    }
    update = 10 * np.arange(1, rows + 1)
    columns = {"step": update + 500, "updates": update, "loss/mse": fall, "loss/total": fall}
    columns |= {"test/loss/mse": held, "opt/lr": fall, "scaled/mse": fall, "dyn/flow": 2 * fall}
    path = folder / f"{name}_metrics.parquet"
    trajectory.write_log(path, "metrics", header, columns)
    return path


def run(folder, monkeypatch, rows=20, **settings):
    """(scores, curves) of the command."""
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS | settings)
    logs = [log(folder, name, rows) for name in NAMES]
    phases.main(None, logs, folder / "phases.json", folder / "curves.parquet")
    table = trajectory.read_log(folder / "curves.parquet", "training_curves")[1]
    return files.read_json(folder / "phases.json"), table


def test_each_phase_has_its_own_curves_over_its_own_updates(tmp_path, monkeypatch):
    scores, table = run(tmp_path, monkeypatch)
    assert scores["updates"] == dict.fromkeys(NAMES, 200)
    for name in NAMES:
        part = table[table["panel"] == name]
        assert list(part["curve"].unique()) == ["loss/mse", "test/loss/mse", "dyn/flow"]
        assert part[part["curve"] == "test/loss/mse"]["step"].tolist() == [100, 200]


def test_losses_stand_beside_where_they_began_but_for_those_of_imagination(tmp_path, monkeypatch):
    scores, _ = run(tmp_path, monkeypatch)
    rows = {row["score"]: row for row in scores["summary"]}
    assert rows["tokenizer: mse, last tenth"]["chance"] == 1.0
    assert rows["tokenizer: mse, last tenth"]["value"] == pytest.approx(0.509, abs=0.01)
    assert rows["dynamics: mse, held-out episodes"]["value"] == pytest.approx(0.6)
    assert rows["imagination: mse, last tenth"]["chance"] is None


def test_losses_are_left_out_where_they_are_not_asked_for(tmp_path, monkeypatch):
    scores, table = run(tmp_path, monkeypatch, losses=False)
    assert set(table["curve"]) == {"dyn/flow"} and scores["summary"] == []


@pytest.mark.parametrize("rows", [20, 1, 0])
def test_every_figure_is_drawn_or_says_why_not(rows, tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, rows)
    figures = [tmp_path / f"phase_{name}.svg" for name in NAMES]
    plot_phases.main(None, tmp_path / "curves.parquet", figures, tmp_path / "all.svg")
    for path in [*figures, tmp_path / "all.svg"]:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000


@pytest.mark.parametrize("stages, shown", [(["train"], "training"), (["phases"], "phases")])
def test_the_report_shows_the_training_that_a_run_had(stages, shown, tmp_path):
    folder = tmp_path / "run/seed0"
    files.write_json(folder / "run_info.json", {stage: {} for stage in stages})
    keys = [part["key"] for part in report.chapter(folder)["sections"]]
    assert {"training", "phases"} & set(keys) == {shown} and "position" in keys
