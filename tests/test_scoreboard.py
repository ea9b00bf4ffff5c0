"""One table over tasks and seeds, and learning curves with bands."""

import numpy as np
import pandas as pd
import pytest

from analysis import plot_scoreboard, scoreboard
from dreamer import trajectory
from jobs import files

TASKS = {"pong": "atari_pong", "boxing": "atari_boxing", "square": "square"}
OPTIONS = {"bootstrap_draws": 100, "bootstrap_seed": 0, "tasks": TASKS, "runs": list(TASKS)}


def row(score, value, unit="reward", chance=None, name=None):
    found = {"score": score, "value": value, "unit": unit, "better": "high", "chance": chance}
    return found | {"chance_name": name, "layer": None, "representation": None}


def write(folder, run, seed, normalised=None):
    """Scores and curves of one run and seed; returns the paths."""
    here, score = folder / run / f"seed{seed}", 10 + seed
    training = [row("episode score, last tenth of training", score, chance=3.0, name="first tenth"),
                row("loss rec, last tenth of training", 5.0)]  # fmt: skip
    played = [row("return, agent, sampled", score + 1, chance=2.0, name="random actions")]
    played += [row(scoreboard.NORMALISED, normalised, "%")] if normalised is not None else []
    files.write_json(here / "training.json", {"summary": training})
    files.write_json(here / "evaluation.json", {"summary": played})
    steps = np.arange(0, 100, 10)
    curve = {"panel": ["episodes"] * 10, "curve": ["score"] * 10, "unit": ["reward"] * 10,
             "step": steps, "value": steps + seed, "smooth": steps + seed}  # fmt: skip
    trajectory.write_log(here / "training_curves.parquet", "training_curves", {}, curve)
    return [here / "training.json", here / "evaluation.json"], here / "training_curves.parquet"


@pytest.fixture
def made(tmp_path, monkeypatch):
    told = OPTIONS | {"tasks": dict(sorted(TASKS.items()))}  # as canonical JSON has it
    monkeypatch.setattr("jobs.cli.options", lambda spec: told)
    points = {"pong": 50.0, "boxing": 150.0, "square": None}
    found = [write(tmp_path, run, seed, points[run]) for run in TASKS for seed in range(3)]
    names = {name: tmp_path / name for name in ("table", "csv", "markdown", "learning")}
    scores = [path for paths, _ in found for path in paths]
    scoreboard.main(None, scores, **names, curves=[path for _, path in found])
    return names


def test_each_task_has_a_line_with_means_over_seeds_and_their_intervals(made):
    lines = made["markdown"].read_text().splitlines()
    pong = next(line for line in lines if line.startswith("| atari_pong"))
    cells = [cell.strip() for cell in pong.strip("|").split("|")]
    assert cells[:3] == ["atari_pong", "pong", "3"]
    assert cells[3].startswith("11 [10") and cells[4].startswith("12 [11")
    assert cells[5].startswith("50%") and cells[-1] == "2"
    assert next(line for line in lines if line.startswith("| square")).count("–") == 1


def test_lines_stand_in_the_order_of_the_configuration(made):
    lines = made["markdown"].read_text().splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:5]] == list(TASKS)


def test_human_normalised_scores_are_summed_up_over_tasks(made):
    assert "Human-normalised over tasks: mean 100% and median 100%." in made["markdown"].read_text()


def test_losses_are_no_part_of_it(made):
    assert "loss" not in made["csv"].read_text()


def test_learning_curves_have_a_panel_per_task(made, tmp_path):
    plot_scoreboard.main(None, made["learning"], made["table"], tmp_path / "tasks.svg")
    assert "random actions" in (tmp_path / "tasks.svg").read_text()  # the level of chance
    assert (tmp_path / "tasks.png").stat().st_size > 1000


def test_without_scores_of_episodes_a_sentence_stands_there(tmp_path):
    empty = pd.DataFrame(columns=["run", "curve"])
    plot_scoreboard.draw(empty, TASKS, {}, tmp_path / "tasks.svg")
    assert (tmp_path / "tasks.svg").exists()
