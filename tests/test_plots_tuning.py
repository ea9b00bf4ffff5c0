"""Tuning figures are drawn from tables alone, whatever is missing in them."""

import numpy as np
import pytest

from analysis import class_figures, classes, example_curves, plot_tuning, style
from dreamer import trajectory
from jobs import files
from tests import synthetic
from tests.test_classes import OPTIONS
from tests.test_tuning import planted, run
from tests.test_tuning_defects import facing_units


def dead(item, _):
    return np.full((len(item.x), 3), 0.5)


def broken(item, _):
    return np.full((len(item.x), 3), np.nan)


CASES = {
    "planted units": {"layers": {"dyn/deter": planted, "enc/cnn0": synthetic.noise(2)}},
    "one episode": {"episodes": 1},
    "too few episodes for swaps": {"episodes": 4},
    "no facing": {"absent": ["facing"]},
    "no terrain": {"absent": ["facing", "terrain", "terrain_changed"]},
    "no border visited": {"area": (40, 40), "steps": 10},
    "dead units": {"layers": {"a": dead}},
    "NaN activity": {"layers": {"a": broken, "b": synthetic.noise(3)}},
    "only NaN": {"layers": {"a": broken}},
    "nothing visited often": {"episodes": 2, "steps": 3},
}


def draw(folder, monkeypatch, **options):
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS | options)
    inputs = [folder / name for name in ("tuning.parquet", "null.parquet")]
    classes.main(None, *inputs, folder / "classes.parquet", folder / "classes.json")
    names = ("examples.svg", "scatter.svg", "layers.svg", "types.svg")
    tables = [folder / name for name in ("tuning.parquet", "maps.npz", "classes.parquet")]
    plot_tuning.main(None, *tables, *(folder / name for name in names))
    return [folder / name for name in names]


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_or_says_why_not(case, tmp_path, monkeypatch):
    settings = {"layers": {"a": synthetic.noise(4)}, "episodes": 12} | CASES[case]
    run(tmp_path, monkeypatch, {"n_null": 2}, **settings)
    preset = "published" if case == "planted units" else "default"
    for path in draw(tmp_path, monkeypatch, preset=preset):
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000


def test_equal_tables_give_equal_figures(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {"n_null": 2}, layers={"a": synthetic.noise(4)})
    first = [path.read_bytes() for path in draw(tmp_path, monkeypatch)]
    assert first == [path.read_bytes() for path in draw(tmp_path, monkeypatch)]


def test_figures_that_are_switched_off_say_so(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": synthetic.noise(4)}, episodes=4)
    said = {path.read_bytes() for path in draw(tmp_path, monkeypatch, plots=False)}
    assert len(said) == 1 and said != {draw(tmp_path, monkeypatch)[0].read_bytes()}


def test_examples_begin_with_the_best_unit_of_each_class(tmp_path, monkeypatch):
    table, _, _ = run(tmp_path, monkeypatch, {"n_null": 2})
    draw(tmp_path, monkeypatch)
    kinds = trajectory.read_log(tmp_path / "classes.parquet", "cell_classes")[1]["class"]
    table = table[~table["dead"]].assign(**{"class": kinds[:-1]})
    shown = example_curves.chosen(table, "ev_place")
    assert len(shown) == example_curves.SHOWN and "head direction" in list(shown["class"])
    assert set(shown["class"][: shown["class"].nunique()]) == set(shown["class"])
    assert set(shown["unit"]) <= set(range(18))
    assert example_curves.label(shown.iloc[0], "ev_place").startswith("unit ")


def test_where_no_unit_is_tuned_the_cell_types_are_a_sentence(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {"n_null": 0}, layers={"a": synthetic.noise(4)}, episodes=2, steps=3)
    drawn = draw(tmp_path, monkeypatch)[3].read_bytes()
    style.sentence(tmp_path / "said.svg", class_figures.NOTHING)
    assert drawn == (tmp_path / "said.svg").read_bytes()
    notes = files.read_json(tmp_path / "classes.json")["notes"]
    assert not any("which way the agent faces" in note for note in notes)


def test_cell_types_show_the_untrained_network_beside_the_trained_one(tmp_path, monkeypatch):
    synthetic.recording(tmp_path / "u.parquet", 24, 120, layers={"dyn/deter": synthetic.noise(119)})
    inputs = {"untrained": tmp_path / "u.parquet"}
    run(tmp_path, monkeypatch, {"n_null": 2}, inputs, episodes=24, steps=120)
    drawn = draw(tmp_path, monkeypatch)[3].read_bytes()
    rows = files.read_json(tmp_path / "classes.json")["summary"]
    assert all(row["control"] is not None for row in rows if "well-tuned units" not in row["score"])
    scores = class_figures.scored(rows)
    alone = [{**row, "control": None} for row in rows]
    class_figures.draw(alone, scores, tmp_path / "alone.svg")
    assert (tmp_path / "alone.svg").read_bytes() != drawn


def test_examples_show_the_untrained_network_at_the_right(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(style, "save", lambda figure, svg: figures.append(figure))
    layers = {"dyn/deter": synthetic.noise(119)}
    synthetic.recording(tmp_path / "u.parquet", 24, 120, layers=layers)
    inputs = {"untrained": tmp_path / "u.parquet"}
    run(tmp_path, monkeypatch, {"n_null": 2}, inputs, episodes=24, steps=120)
    draw(tmp_path, monkeypatch)
    titles = [axis.get_title() for axis in figures[0].axes]
    shown = example_curves.SHOWN
    assert not any(title.startswith("untrained") for title in titles[:shown])
    beside = [title for title in titles[shown:] if title.startswith("untrained, unit ")]
    assert len(beside) == example_curves.BESIDE


@pytest.mark.parametrize("test", [False, True])
def test_without_positions_facing_alone_is_measured_and_figures_say_why(
    test, tmp_path, monkeypatch
):
    settings = {"layers": {"a": facing_units}, "episodes": 12, "absent": ["x", "y"]}
    synthetic.recording(tmp_path / "test.parquet", **settings | {"seed": 7})
    inputs = {"test": tmp_path / "test.parquet"} if test else {}
    table, maps, scores = run(tmp_path, monkeypatch, {"test": test}, inputs, **settings)
    assert "has no positions" in scores["notes"][0] and scores["tiles"] is None
    assert table["hd"].notna().all() and (table["ev_facing"] > 0.9).all()
    lost = ["si", "ev_place", "spatial_gain", "facing_gain", "border_share", "fields", "coherence"]
    assert table[lost].isna().all().all() and not maps["occupancy"].any()
    told = {row["score"] for row in scores["summary"]}
    assert told == {"variance explained by facing, median unit", "facing information, median unit"}
    assert all(path.is_file() for path in draw(tmp_path, monkeypatch))
    cells = trajectory.read_log(tmp_path / "classes.parquet", "cell_classes")
    assert set(cells[1]["class"]) == {"not classified"} and cells[0]["summary"] == []
