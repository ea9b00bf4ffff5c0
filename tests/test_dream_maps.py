"""Maps of probability and moving pictures of dreams show at h what was believed at h."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from analysis import dream_examples, dream_images, dream_probmaps, dream_tables, dream_video, style
from dreamer import trajectory
from jobs import files
from tests import synthetic
from tests.test_dreams_analysis import (  # noqa: F401
    HORIZON,
    LAYERS,
    STARTS,
    decode,
    draw,
    dream,
    moving,
    trained,
)

KEYS = ["representation", "variant", "start_episode", "start_step", "h"]


def maps(folder):
    return trajectory.read_log(folder / "maps.parquet", "dreams_maps")[1]


def peaks(folder):
    """The likeliest tile of every map, as a table with the keys of the maps."""
    found = maps(folder)
    return found.loc[found.groupby(KEYS)["p"].idxmax()]


def frames(path):
    """[(pixels [h, w, 3], pause in ms)] of a GIF."""
    with Image.open(path) as video:
        every = ImageSequence.Iterator(video)
        return [(np.asarray(one.convert("RGB")).astype(int), one.info["duration"]) for one in every]


def film(trained, folder):  # noqa: F811
    """The video of the examples of decoded dreams, without any other figure."""
    found = files.read_json(folder / "dreams.json")
    paths = (folder / "dreams.parquet", trained / "test.parquet")
    strips = dream_images.strips(*paths, found["examples"])
    dream_video.draw(strips, folder / "dream_video.gif", 200)
    return folder / "dream_video.gif"


def real(trained, row, later):  # noqa: F811
    """Where the agent was so many steps after the start of a row of the table."""
    read = trajectory.read(trained / "test.parquet", ["episode", "step", "x", "y"])
    at = (read["episode"] == row.start_episode) & (read["step"] == row.start_step + later)
    return int(read["x"][at][0]), int(read["y"][at][0])


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_map_at_h_is_that_of_the_belief_at_h(trained, tmp_path, shift):  # noqa: F811
    dream(trained, tmp_path, shift, moving(trained))
    decode(trained, tmp_path)
    found = peaks(tmp_path)
    found = found[found["representation"] == "dyn/deter"]
    assert set(found["h"]) == {0, 1, 2, 4, 5} and len(found) == 3 * 2 * 5
    for row in found.itertuples():
        late = 0 if row.h == 0 or row.variant == "real states" else shift
        assert (row.x, row.y) == real(trained, row, row.h + late)


def test_maps_are_shown_at_doubling_steps_and_at_the_last():
    assert [dream_tables.shown(last).tolist() for last in (1, 2, 15, 16)] == [
        [0, 1], [0, 1, 2], [0, 1, 2, 4, 8, 15], [0, 1, 2, 4, 8, 16],
    ]  # fmt: skip


def test_a_map_holds_nearly_all_of_its_probability(trained, tmp_path):  # noqa: F811
    dream(trained, tmp_path)
    decode(trained, tmp_path)
    sums = maps(tmp_path).groupby(KEYS)["p"].sum()
    assert sums.between(0.9, 1.0001).all()


def test_examples_are_a_seeded_draw_and_not_the_first_starts(trained, tmp_path):  # noqa: F811
    path = dream(trained, tmp_path, starts=range(3, 50))
    drawn = [dream_examples.choose(path, 3, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(found == sorted(set(found)) and len(found) == 3 for found in drawn)
    assert max(step for _, step in drawn[0]) > 10
    assert len(dream_examples.choose(dream(trained, tmp_path, starts=[5]), 3, 0)) == 1


def test_starts_whose_images_were_kept_are_examples_first(trained, tmp_path):  # noqa: F811
    path = dream(trained, tmp_path, starts=range(3, 20))
    header, file = trajectory.header(path, "dreams"), trajectory.open_file(path, "dreams")
    read = file.read().to_pydict()
    kept = [step in (7, 12) for step in read["start_step"]]
    read["image"] = [
        image if here else None for image, here in zip(read["image"], kept, strict=True)
    ]
    trajectory.write(path, header, [read])
    assert {(0, 7), (0, 12)} < set(dream_examples.choose(path, 3, 0))
    assert len(dream_images.strips(path, trained / "test.parquet", [(0, 7), (0, 8)])) == 1


def test_each_panel_shows_its_own_map_and_the_real_tile(trained, tmp_path, monkeypatch):  # noqa: F811
    dream(trained, tmp_path, starts=moving(trained))
    decode(trained, tmp_path)
    kept = []
    monkeypatch.setattr(style, "save", lambda figure, svg: kept.append(figure))
    tables = [maps(tmp_path), trajectory.read_log(tmp_path / "steps.parquet", "dreams_steps")[1]]
    tables = [
        table[(table["representation"] == "dyn/deter") & (table["method"] == "robust")]
        for table in tables
    ]
    dream_probmaps.draw(*tables, "forced", trained / "test.parquet", None)
    panels = [axis for axis in kept[0].axes if axis.get_lines()]
    assert len(panels) == 2 * 2 * 5
    assert [axis.get_title() for axis in panels[:5]] == [f"h = {h}" for h in (0, 1, 2, 4, 5)]
    places = [axis.get_lines()[0].get_xydata()[0].tolist() for axis in panels]
    for axis, place in zip(panels, places, strict=True):
        grid = max(axis.images, key=lambda image: image.zorder).get_array()
        assert list(np.unravel_index(grid.argmax(), grid.shape))[::-1] == place
    rows = [places[index : index + 5] for index in range(0, 20, 5)]
    assert rows[0] == rows[1] != rows[2] == rows[3]
    style.plt.close(kept[0])


def test_a_dream_of_one_step_and_one_start_is_drawn(trained, tmp_path):  # noqa: F811
    path = tmp_path / "dreams.parquet"
    synthetic.dreams(path, trained / "test.parquet", 1, [5], list(LAYERS))
    decode(trained, tmp_path)
    assert all(figure.is_file() for figure in draw(tmp_path, path, trained / "test.parquet"))
    assert len(frames(tmp_path / "dream_video.gif")) == 2


@pytest.fixture
def said(monkeypatch):
    """{name of a figure: the sentence in it}; nothing is drawn."""
    found = {}
    for module in (style, dream_video):
        keep = lambda path, words: found.update({path.stem: words})  # noqa: E731
        monkeypatch.setattr(module, "sentence", keep)
    monkeypatch.setattr(style, "save", lambda figure, svg: style.plt.close(figure))
    return found


def test_regression_alone_has_no_maps_and_the_figure_says_so(trained, tmp_path, said):  # noqa: F811
    path = dream(trained, tmp_path)
    decode(trained, tmp_path, methods=["ridge"])
    assert not len(maps(tmp_path))
    draw(tmp_path, path, trained / "test.parquet")
    assert set(said) == {"dream_probmap_policy", "dream_probmap_forced"}
    assert "no probabilities" in said["dream_probmap_policy"]


def test_without_a_long_enough_episode_every_figure_says_so(trained, tmp_path, said):  # noqa: F811
    path, words = tmp_path / "dreams.parquet", "No episode was long enough for dreams of 15 steps."
    about = trajectory.header(dream(trained, tmp_path), "dreams") | {"note": words}
    trajectory.write(path, about, [])
    found, table = decode(trained, tmp_path)
    assert found["notes"] == [words] and found["summary"] == found["examples"] == []
    assert not len(table) and not len(maps(tmp_path))
    figures = draw(tmp_path, path, trained / "test.parquet")
    assert said == {figure.stem: words for figure in figures}


def test_a_frame_shows_the_images_of_its_step(trained, tmp_path):  # noqa: F811
    dream(trained, tmp_path, starts=STARTS)
    decode(trained, tmp_path)
    video = frames(film(trained, tmp_path))
    assert [pause for _, pause in video] == [*[200] * HORIZON, 200 * dream_video.LAST]
    side, middle = dream_video.CELL + dream_video.GAP, dream_video.CELL // 2
    for h, (pixels, _) in enumerate(video):
        for line in range(2):
            row = pixels[dream_video.TOP + side * line + middle]
            shown = [row[dream_video.LEFT + side * cell + middle, 0] for cell in range(3)]
            grey = 20 + 230 * h // HORIZON
            assert np.abs(np.array(shown) - [128, grey, grey]).max() <= 8


def test_equal_dreams_give_equal_bytes(trained, tmp_path):  # noqa: F811
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        dream(trained, folder)
        decode(trained, folder)
        made.append(
            [files.sha256(path) for path in (folder / "maps.parquet", film(trained, folder))]
        )
    assert made[0] == made[1]


def test_reading_no_maps_leaves_the_columns(tmp_path):
    empty = dream_tables.joined(dream_tables.MAPS, [])
    trajectory.write_log(tmp_path / "maps.parquet", "dreams_maps", {}, empty)
    assert list(maps(tmp_path)) == list(dream_tables.MAPS)
