"""What single trainings left stands in one table per run and one over all, and is drawn from it."""

import numpy as np
import pandas as pd
import pytest

from analysis import compare, gathered, plot_compare, seed_figures, seeds, style, summary
from dreamer import trajectory
from jobs import files

ROW = {
    "score": "mean Euclidean error", "layer": "dyn/deter", "representation": "ridge",
    "unit": "tiles", "better": "low", "chance": 6.0, "chance_name": "best constant tile",
    "control": None,
}  # fmt: skip
FIGURES = ("decoding_seeds", "tuning_seeds", "learning_seeds")


@pytest.fixture(autouse=True)
def options(monkeypatch):
    found = {"bootstrap_draws": 500, "bootstrap_seed": 0}
    monkeypatch.setattr("jobs.cli.options", lambda spec: found)


def train(folder, run, values, analysis="position", **changed):
    """Write the scores of a run, one seed per value."""
    paths = []
    for seed, value in enumerate(values):
        paths.append(folder / run / f"seed{seed}" / f"{analysis}.json")
        files.write_json(paths[-1], {"summary": [{**ROW, **changed, "value": value}]})
    return paths


def log(folder, run, seed, steps, level):
    """Write the curves of one training whose score is `level` throughout."""
    path = folder / run / f"seed{seed}" / "training_curves.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = {"panel": "episodes", "curve": "score", "unit": "reward", "value": 0.0}
    columns = {name: np.full(len(steps), value) for name, value in shared.items()}
    columns |= {"step": np.asarray(steps), "smooth": np.full(len(steps), float(level))}
    trajectory.write_log(path, "training_curves", {}, columns)
    return path


def join(folder, runs, curves=()):
    """Gather {run: score files} and draw the figures; the text of each figure by name."""
    for run, paths in runs.items():
        summary.main(None, paths, folder / run / "summary.parquet", folder / run / "summary.csv")
    names = ("summary", "intervals", "differences")
    pairs = [folder / f"{name}.{kind}" for name in names for kind in ("parquet", "csv")]
    learning = folder / "learning.parquet"
    compare.main(None, [folder / run / "summary.parquet" for run in runs], *pairs, learning, curves)
    figures = [folder / f"{name}.svg" for name in FIGURES]
    plot_compare.main(None, folder / "summary.parquet", folder / "intervals.parquet", learning,
                      *figures)  # fmt: skip
    return {path.stem: path.read_text() for path in figures}


def test_every_run_and_seed_has_its_row(tmp_path):
    join(tmp_path, {"demo": train(tmp_path, "demo", [3.0, 4.0])})
    table = pd.read_parquet(tmp_path / "demo/summary.parquet")
    assert list(table["seed"]) == [0, 1] and list(table["value"]) == [3.0, 4.0]
    assert set(table["run"]) == {"demo"} and set(table["analysis"]) == {"position"}
    assert table["control"].isna().all() and table["control_name"].isna().all()
    assert len(pd.read_csv(tmp_path / "demo/summary.csv")) == 2


def test_a_control_has_a_name(tmp_path):
    table = gathered.scores(train(tmp_path, "demo", [3.0], control=5.0))
    assert table["control_name"].tolist() == ["untrained network"]
    assert table["chance_name"].tolist() == ["best constant tile"]


@pytest.mark.parametrize("told, word", [(True, "yes"), (False, "no"), (None, "unknown")])
def test_every_number_says_whether_the_agent_was_told_its_position(tmp_path, told, word):
    paths = train(tmp_path, "demo", [3.0]) + train(tmp_path, "demo", [0.5], "tuning")
    files.write_json(paths[0], files.read_json(paths[0]) | {"told_position": told})
    table = gathered.scores(paths)
    assert table["told_position"].tolist() == [word, word]
    assert seeds.intervals(table, 100, 0)["told_position"].tolist() == [word, word]


def test_runs_stand_side_by_side_with_intervals_and_differences(tmp_path):
    runs = {run: train(tmp_path, run, [shift + 1.0, shift + 2.0, shift + 4.0])
            for run, shift in (("one", 0), ("two", 3))}  # fmt: skip
    join(tmp_path, runs)
    means = pd.read_csv(tmp_path / "intervals.csv").set_index("run")
    assert means["seeds"].to_dict() == {"one": 3, "two": 3} and means["low"].notna().all()
    gap = pd.read_parquet(tmp_path / "differences.parquet").iloc[0]
    assert (gap["run"], gap["other"], gap["mean"], gap["says"]) == ("one", "two", -3.0, "better")


def test_learning_curves_are_compared_over_the_steps_that_all_seeds_have(tmp_path):
    spans = [(0, 100), (20, 90), (10, 120)]
    paths = [log(tmp_path, "a", seed, span, seed) for seed, span in enumerate(spans)]
    found = gathered.curves(paths, 500, 0)
    assert (found["step"].min(), found["step"].max()) == (20, 90)
    assert set(found["mean"]) == {1.0} and set(found["low"]) == {0.0} and set(found["seed"]) == {
        0, 1, 2,
    }  # fmt: skip


def test_seeds_without_a_common_step_are_not_compared(tmp_path):
    paths = [log(tmp_path, "a", seed, span, 1) for seed, span in enumerate([(0, 10), (20, 30)])]
    assert not len(gathered.curves(paths, 500, 0))


def shares(folder, run, values):
    unit = {"unit": "share of units", "better": "high", "representation": None}
    return train(folder, run, values, "cell_classes", score="place", **unit)


CASES = {
    "one seed": [3.0],
    "two seeds": [3.0, 4.0],
    "three seeds": [3.0, 4.0, 6.0],
    "no value": [None],
}


@pytest.mark.parametrize("case", CASES)
def test_figures_over_seeds_are_drawn_for_any_number_of_seeds(case, tmp_path):
    values = CASES[case]
    paths = train(tmp_path, "a", values) + shares(tmp_path, "a", values)
    curves = [log(tmp_path, "a", seed, [0, 10, 20], seed) for seed in range(len(values))]
    drawn = join(tmp_path, {"a": paths}, curves)
    for name, text in drawn.items():
        assert text.rstrip().endswith("</svg>") and "<text" not in text, name
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_without_scores_figures_say_so(tmp_path, monkeypatch):
    said, sentence = [], style.sentence
    monkeypatch.setattr(
        style, "sentence", lambda svg, text: said.append(text) or sentence(svg, text)
    )
    drawn = join(tmp_path, {"a": train(tmp_path, "a", [1.0], "behavior", layer=None)})
    words = {plot_compare.NOTHING, plot_compare.NO_CLASSES, seed_figures.NO_CURVES}
    assert set(said) == words and len(drawn) == 3
