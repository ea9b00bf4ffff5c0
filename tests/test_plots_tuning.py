"""Tuning figures are drawn from tables alone, whatever is missing in them."""

import numpy as np
import pytest

from analysis import layer_figures, plot_tuning
from tests import synthetic
from tests.test_tuning import planted, run


def dead(item, _):
    return np.full((len(item.x), 3), 0.5)


def broken(item, _):
    return np.full((len(item.x), 3), np.nan)


CASES = {
    "planted units": {"layers": {"dyn/deter": planted, "enc/cnn0": synthetic.noise(2)}},
    "one episode": {"episodes": 1},
    "too few episodes for swaps": {"episodes": 4},
    "no facing": {"absent": ["facing"]},
    "dead units": {"layers": {"a": dead}},
    "NaN activity": {"layers": {"a": broken, "b": synthetic.noise(3)}},
    "only NaN": {"layers": {"a": broken}},
    "nothing visited often": {"episodes": 2, "steps": 3},
}


def draw(folder):
    names = ("best.svg", "scatter.svg", "layers.svg")
    inputs = (folder / "tuning.parquet", folder / "maps.npz")
    plot_tuning.main(None, *inputs, *(folder / name for name in names))
    return [folder / name for name in names]


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_or_says_why_not(case, tmp_path, monkeypatch):
    settings = {"layers": {"a": synthetic.noise(4)}, "episodes": 12} | CASES[case]
    run(tmp_path, monkeypatch, {"n_null": 2}, **settings)
    for path in draw(tmp_path):
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000


def test_equal_tables_give_equal_figures(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {"n_null": 2}, layers={"a": synthetic.noise(4)})
    first = [path.read_bytes() for path in draw(tmp_path)]
    assert first == [path.read_bytes() for path in draw(tmp_path)]


def test_units_are_ranked_by_held_out_spatial_gain_and_not_by_the_fit(tmp_path, monkeypatch):
    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 2})
    column, words = layer_figures.criterion(table)
    assert column == "spatial_gain" and set(table.nlargest(6, column)["unit"]) <= set(range(10))
    assert plot_tuning.label(table.iloc[0], column).startswith("unit 0\n0.")
