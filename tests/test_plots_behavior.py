"""Behaviour figures and animations are drawn for any recording, whatever it lacks."""

import numpy as np
import pytest
from PIL import Image

from analysis import plot_behavior, style, walked
from jobs import files
from jobs.errors import Refused
from tests import synthetic

OPTIONS = {"egocentric_view": True, "view_half": 3, "window_tiles": 5, "step_ms": 100, "seed": 0}
LAYERS = {"dyn/deter": synthetic.place_fields(6), "dyn/stoch": synthetic.one_hot}
CASES = {
    "several episodes": {"episodes": 4, "layers": LAYERS},
    "one step": {"episodes": 1, "steps": 1, "layers": LAYERS},
    "no positions": {"absent": ["x", "y"]},
    "neither positions nor images": {"absent": ["x", "y", "image"]},
    "no terrain": {"absent": ["terrain", "terrain_changed"], "layers": LAYERS},
    "no facing, no images": {"absent": ["facing", "image"]},
    "water": {"terrain": np.where(np.arange(48) % 5 == 0, 1, 2).reshape(8, 6)},
    "a narrow world": {"area": (2, 30)},
    "Crafter": {"world": {"task": "crafter"}},
}
FIGURES = [f"{name}.svg" for name in plot_behavior.FIGURES]


@pytest.fixture
def draw(tmp_path, monkeypatch):
    monkeypatch.setattr("jobs.cli.options", lambda spec: OPTIONS)

    def made(*names, **changed):
        synthetic.recording(tmp_path / "t.parquet", **({"episodes": 2, "steps": 20} | changed))
        paths = [tmp_path / name for name in names]
        plot_behavior.main(None, tmp_path / "t.parquet", tmp_path / "captions.json", paths)
        return paths, files.read_json(tmp_path / "captions.json")

    return made


def test_every_figure_becomes_a_vector_and_a_raster_file(draw):
    figures, said = draw(*FIGURES, **CASES["several episodes"])
    for path in figures:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000
    assert list(said) == sorted(plot_behavior.FIGURES)


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_or_says_why_not(case, draw, monkeypatch):
    drawn = {}

    def save(figure, svg):
        figure.set_layout_engine("none")  # files cost time, and so does a layout
        figure.draw_without_rendering()
        drawn[svg.name] = any(axis.has_data() or axis.texts for axis in figure.axes)
        style.plt.close(figure)

    monkeypatch.setattr(style, "save", save)
    draw(*FIGURES, **CASES[case])
    assert drawn == dict.fromkeys(FIGURES, True)


@pytest.mark.parametrize("case", CASES)
def test_every_animation_shows_each_step_or_says_in_words_why_not(case, draw):
    paths, said = draw(*[f"{name}.gif" for name in plot_behavior.ANIMATIONS], **CASES[case])
    for path in paths:
        with Image.open(path) as found:
            count = getattr(found, "n_frames", 1)
        words = said[path.stem]
        last = CASES[case].get("steps", 20) - 1
        if words.startswith("Shown are steps"):
            assert f"0 to {last} of episode 0" in words and 1 <= count <= last + 1
        else:
            assert count == 1 and "no positions" in words or "neither" in words
    moving = [name for name in said if said[name].startswith("Shown")]
    lost = {"no positions": ["animation"], "neither positions nor images": []}
    assert moving == lost.get(case, sorted(plot_behavior.ANIMATIONS))


def test_an_unknown_figure_is_refused(draw):
    with pytest.raises(Refused, match="there is no figure path.svg of behaviour; there are paths,"):
        draw("path.svg")


def test_the_example_is_the_longest_episode_where_it_leads_over_most_tiles(tmp_path, monkeypatch):
    monkeypatch.setattr(walked, "LONGEST", 20)
    synthetic.recording(tmp_path / "t.parquet", episodes=2, steps=60)
    found = walked.load(tmp_path / "t.parquet")
    table = found.table[(found.table["episode"] == 0) | (found.table["step"] < 9)].copy()
    table.loc[table["step"] < 30, ["x", "y"]] = 3
    shown = walked.example(found._replace(table=table))
    assert (shown.episode, shown.length, len(shown.step)) == (0, 59, 20)
    assert shown.step[0] >= 30 and (np.diff(shown.step) == 1).all()
    assert len(shown.images) == len(shown.facing) == len(shown.place) == 20


def test_materials_of_any_world_have_colours_of_their_own():
    found = style.ground(["wall", "grass", "moss", "mud"])
    assert found[:2] == [style.TERRAIN["wall"], style.TERRAIN["grass"]] and len(set(found)) == 4


def test_equal_recordings_give_equal_files(draw):
    names = ["animation.gif", "activation_over_space.svg"]
    layers = {"dyn/deter": synthetic.place_fields(2)}
    first, second = (
        [path.read_bytes() for path in draw(*names, layers=layers)[0]] for _ in range(2)
    )
    assert first == second
