"""What animations and overlays show is where it should be, and no larger than allowed."""

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from analysis import animation, frames, seen_world, space_activity, style, views, walked
from dreamer import png, trajectory
from dreamer.envs import crafter_view
from jobs import mp4
from jobs.errors import Refused
from tests import synthetic

AREA = (9, 7)
OPTIONS = {"egocentric_view": True, "view_half": 3, "window_tiles": 5}
STEP = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
RNG = np.random.default_rng(0)
WORLD = RNG.integers(0, 255, (*AREA, 3), dtype=np.uint8)
PLACES = st.tuples(st.integers(0, AREA[0] - 1), st.integers(0, AREA[1] - 1)).map(np.array)
FACING = st.integers(0, 3)


@given(PLACES, FACING)
def test_what_the_agent_faces_is_above_it_in_the_egocentric_view(place, facing):
    view = views.egocentric(AREA, place, facing, OPTIONS)
    ahead = view.points(place + STEP[trajectory.FACINGS[facing]]) - view.points(place)
    assert ahead.tolist() == [0, -1] and view.points(place).tolist() == [3, 3]
    assert view.heading(facing) == 0


@given(PLACES, FACING)
def test_without_turning_the_view_lies_as_the_map_does(place, facing):
    view = views.egocentric(AREA, place, facing, OPTIONS | {"egocentric_view": False})
    assert (view.points(place + (1, 0)) - view.points(place)).tolist() == [1, 0]
    unknown = views.egocentric(AREA, place, None, OPTIONS)
    assert view.turn == unknown.turn == 0


@given(PLACES, FACING, st.sampled_from([views.whole, views.window, views.egocentric]))
def test_a_tile_has_the_colour_of_the_world_where_the_agent_is_drawn(place, facing, kind):
    view = kind(AREA, place, facing, OPTIONS)
    column, row = view.points(place).astype(int)
    assert (view.tiles(WORLD)[row, column] == WORLD[tuple(place)]).all()


@given(PLACES, st.integers(1, 20))
def test_the_window_stays_inside_the_world_and_holds_the_agent(place, tiles):
    view = views.window(AREA, place, 0, {"window_tiles": tiles})
    assert (view.origin >= 0).all() and (view.origin + view.size <= AREA).all()
    assert ((view.points(place) >= 0) & (view.points(place) < view.size)).all()


def test_beyond_the_edge_there_is_nothing():
    tiles = views.egocentric(AREA, np.zeros(2, int), 2, OPTIONS).tiles(WORLD)
    assert (tiles[:3] == views.OUTSIDE).all() and (tiles[:, :3] == views.OUTSIDE).all()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "t.parquet"
    synthetic.recording(path, episodes=1, steps=30)
    stretch = walked.example(walked.load(path))
    return list(frames.draw(stretch, views.blank((8, 8)), views.whole, OPTIONS))


def test_equal_pictures_give_equal_bytes(pictures, tmp_path):
    for name in ("a", "b"):
        animation.gif(tmp_path / f"{name}.gif", pictures, 100, frames.KEPT)
        mp4.write(tmp_path / f"{name}.mp4", pictures[:4], 100, "it")
    for suffix in ("gif", "mp4"):
        a, b = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert a == b
    assert imageio_ffmpeg.count_frames_and_secs(tmp_path / "a.mp4")[0] == 4


def test_the_trail_and_the_agent_keep_their_colours(pictures, tmp_path):
    animation.gif(tmp_path / "a.gif", pictures, 100, frames.KEPT)
    with Image.open(tmp_path / "a.gif") as found:
        found.seek(found.n_frames - 1)
        shown = np.array([colour for _, colour in found.convert("RGB").getcolors(100_000)])
    for colour in (frames.INK, frames.PAPER, ImageColor.getrgb(style.RED)):
        assert np.abs(shown - colour).max(axis=1).min() <= 4


def test_a_gif_that_would_be_too_large_ends_earlier(pictures, tmp_path, monkeypatch):
    assert animation.gif(tmp_path / "a.gif", pictures, 100, frames.KEPT) == len(pictures)
    limit = (tmp_path / "a.gif").stat().st_size // 2
    monkeypatch.setattr(animation, "LARGEST", limit)
    assert 1 < animation.gif(tmp_path / "a.gif", pictures, 100, frames.KEPT) < len(pictures)
    assert (tmp_path / "a.gif").stat().st_size <= limit


def test_without_ffmpeg_an_mp4_is_refused(pictures, tmp_path, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(Refused, match="behavior.mp4 asks for MP4"):
        mp4.write(tmp_path / "a.mp4", pictures, 100, "behavior.mp4")
    assert not list(tmp_path.iterdir())


def test_units_are_drawn_by_seed_from_those_that_vary():
    activity = RNG.normal(size=(200, 40))
    activity[:, ::2] = 0.5
    activity[:, 1] = np.nan
    activity[:, 3] = np.arange(200) == 7  # active once
    chosen = {tuple(space_activity.choose(activity, seed)) for seed in range(20)}
    assert len(chosen) > 10 and all(len(units) == space_activity.UNITS for units in chosen)
    assert {unit for units in chosen for unit in units} <= set(range(5, 40, 2))
    assert space_activity.choose(activity[:, ::2], 0) == []


@pytest.mark.parametrize("tiles", [0, 3, 5, 9, 31])
def test_tiles_are_cut_where_crafter_draws_them(tiles):
    columns, rows, shelves = crafter_view.grid(tiles)
    unit = np.array((64 // columns, 64 // (rows + shelves)))
    border = (64 - unit * (columns, rows + shelves)) // 2
    world = {"task": "crafter", "egocentric_view": tiles}
    assert seen_world.grid({"world": world}) == (columns, rows, *unit, *border)


def test_what_was_seen_lies_on_the_tile_where_it_was_seen(tmp_path):
    path, shape = tmp_path / "t.parquet", seen_world.grid({"world": {"task": "crafter"}})
    item = synthetic.walk(0, 80, np.full(AREA, synthetic.GRASS, np.uint8), RNG)
    head = synthetic.header(AREA, {}, world={"task": "crafter"})
    images = [png.encode(seen(place, shape)) for place in np.stack([item.x, item.y], 1)]
    trajectory.write(path, head, [synthetic.columns(item, {}) | {"image": images}])
    tiles, known = seen_world.mosaic(walked.load(path), shape)
    assert known.any() and (tiles[known] == WORLD[known][:, None, None]).all()


def seen(place, shape):
    """An image [64, 64, 3] of WORLD around a place, in which the agent is black."""
    around = views.View(place - (shape.columns // 2, shape.rows // 2), shape[:2]).tiles(WORLD)
    around[shape.rows // 2, shape.columns // 2] = 0
    image = np.zeros((64, 64, 3), np.uint8)
    part = around.repeat(shape.v, 0).repeat(shape.u, 1)
    image[shape.top :, shape.left :][: part.shape[0], : part.shape[1]] = part
    return image
