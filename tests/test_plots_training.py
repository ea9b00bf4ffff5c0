"""Training figures are drawn from the tables, and an empty training says so in words."""

import pytest

from analysis import plot_training
from tests.test_training_analysis import run

CASES = {
    "a training": {},
    "no episode": {"episodes": 0},
    "no update": {"rows": 0},
    "one of each": {"episodes": 1, "rows": 1},
}


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_or_says_why_not(case, tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, **CASES[case])
    figures = [
        tmp_path / name for name in ("learning.svg", "losses.svg", "achievements.svg", "all.svg")
    ]
    tables = (tmp_path / "curves.parquet", tmp_path / "training.json")
    plot_training.main(None, *tables, *figures)
    for path in figures:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000
