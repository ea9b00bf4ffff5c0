"""Figures of decoding are drawn from any recording that decoding accepts, and are reproducible."""

import numpy as np
import pandas as pd
import pytest

from analysis import plot_layers, plot_position, position_maps, style
from dreamer import trajectory
from tests import synthetic, test_dreams_analysis
from tests.test_dreams_analysis import LAYERS, decode, dream, trained  # noqa: F401
from tests.test_position import Run

POSITION = ["decoded_path", "position_over_time", "probmap", "occupancy_vs_error"]
POSITION += ["classification"]


def draw(run, folder, names=POSITION):
    """The layer comparison and other figures of position decoding; their bytes by name."""
    spec = synthetic.spec(folder / "plot.json", "plot_position", {})
    path = run.folder / "trajectory.parquet"
    figures = {name: folder / f"{name}.svg" for name in names}
    plot_position.main(spec, run.scores, run.steps, path, path, **figures)
    spec = synthetic.spec(folder / "layers.json", "plot_layers", {})
    plot_layers.main(spec, run.scores, folder / "layer_comparison.svg")
    made = {path.stem: path.read_bytes() for path in folder.glob("*.svg")}
    assert set(made) == {*names, "layer_comparison"}
    assert all((folder / f"{name}.png").is_file() for name in made)
    return made


ONE = ("decoded_path",)
CASES = {
    "plain": ({}, {}),
    "one episode": ({"episodes": 1}, {}),
    "one layer": ({"layers": {"enc/tokens": synthetic.noise(3)}}, {}),
    "no classifier": ({}, {"methods": ["ridge"], "combined": False}),
    "no terrain": ({"absent": ["terrain", "terrain_changed"]}, {}),
    "NaN": ({"layers": {"enc/tokens": lambda item, _: item.x[:, None] * float("nan")}}, {}),
    "no positions": ({"absent": ["x", "y"]}, {}),
    "leaky": ({}, {"cv": "timestep"}),
    "one tile": ({"area": (1, 1)}, {}),
    "untrained beside": ({}, {"untrained": True}),
}


WHOLE = ("one episode", "no classifier", "NaN", "no positions", "untrained beside")


@pytest.mark.parametrize("case", CASES)
def test_figures_of_position_decoding_are_drawn_or_say_why_not(tmp_path, case):
    changed, options = CASES[case]
    settings = {"episodes": 5, "steps": 30, "area": (4, 4), "layers": LAYERS, **changed}
    synthetic.recording(tmp_path / "trajectory.parquet", **settings)
    run = Run(tmp_path, **options)
    (tmp_path / "figures").mkdir()
    draw(run, tmp_path / "figures", POSITION if case in WHOLE else ONE)


def test_equal_tables_give_equal_figures(tmp_path):
    synthetic.recording(tmp_path / "trajectory.parquet", 4, 30, (4, 4), layers=LAYERS)
    run = Run(tmp_path, layers=["dyn/deter"])
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    drawn = [draw(run, tmp_path / name, ONE) for name in ("one", "two")]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("images", [True, False])
def test_figures_of_dreams_are_drawn_with_and_without_images(trained, tmp_path, images):  # noqa: F811
    dream(trained, tmp_path)
    path = tmp_path / "dreams.parquet"
    if not images:
        header = {**trajectory.header(path, "dreams"), "absent": ["image"]}
        read = trajectory.open_file(path, "dreams").read().to_pydict()
        trajectory.write(path, header, [read])
    decode(trained, tmp_path)
    figures = test_dreams_analysis.draw(tmp_path, path, trained / "test.parquet")
    assert all(figure.is_file() for figure in figures)


def test_without_terrain_figures_show_the_part_of_the_world_that_was_visited(tmp_path, monkeypatch):
    settings = {"area": (64, 64), "layers": {"a": synthetic.noise(2)}, "episodes": 1, "steps": 9}
    absent = ["terrain", "terrain_changed"]
    path = tmp_path / "trajectory.parquet"
    (walk,) = synthetic.recording(path, absent=absent, **settings)
    columns = {"true_x": walk.x, "true_y": walk.y, "x": walk.x, "y": walk.y, "error": 0.0}
    table = pd.DataFrame(columns).assign(
        episode=0, step=range(9), method="robust", network="trained", representation="a"
    )
    spots = {"x": walk.x.tolist(), "y": walk.y.tolist(), "p": [1 / 9] * 9, "steps": 9}
    maps = [spots | {"tile": [int(walk.x[0]), int(walk.y[0])]}]
    widths = []

    def measured(figure, _):
        maps = [axis for axis in figure.axes if axis.get_xlabel() == "x (tiles)"]
        widths.extend(abs(np.diff(axis.get_xlim())[0]) for axis in maps)
        style.plt.close(figure)

    monkeypatch.setattr(style, "save", measured)
    plot_position.draw_path(table, path, None)
    found = {"details": {"a": {"probmaps": {"robust": maps}}}}
    position_maps.draw_probmap(found, ["a"], (64, 64), None)
    position_maps.draw_classification(table, (64, 64), None)
    assert len(widths) == 3 and max(widths) < 25
