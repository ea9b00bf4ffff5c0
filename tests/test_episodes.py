"""Windows of a data set: no row from elsewhere, and the action before the window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import png, spaces, trajectory
from dreamer.episodes import Episodes
from jobs.errors import Refused

AHEAD = 3


def write(path, lengths, unlabelled=()):
    """Episodes whose rows say what they are: in episode e, image_t = (e, t), action_t = 100 + t."""
    action = spaces.Space((), "int32", 200)
    seen = spaces.Spaces((("image", spaces.Space((2, 2, 3), "uint8")),), action)
    header = {"kind": "dataset", "layers": {}, "absent": ["facing"], "action_width": 0,
              "spaces": spaces.to_json(seen)}  # fmt: skip

    def episode(number, length):
        step = np.arange(length)
        image = np.zeros((length, 2, 2, 3), np.uint8)
        image[:, 0, 0, 0], image[:, 0, 0, 1] = number, step
        labels = [None if (number, one) in unlabelled else 100 + one for one in step.tolist()]
        return {
            "episode": np.full(length, number), "step": step, "x": step, "y": step + 1,
            "action": labels, "reward": step + 1000 * number, "policy": np.zeros(length),
            "is_first": step == 0, "is_last": step == length - 1,
            "is_terminal": (step == length - 1) & (number % 2 == 0),
            "image": [png.encode(one) for one in image],
        }  # fmt: skip

    trajectory.write(path, header, (episode(*item) for item in enumerate(lengths)))
    return Episodes(path, path.parent / "work")


LENGTHS = (5, 12, 7, 1, 9)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "a.parquet", LENGTHS)


PLACES = st.integers(0, len(LENGTHS) - 1).flatmap(
    lambda episode: st.tuples(st.just(episode), st.integers(0, LENGTHS[episode] - 1))
)


@settings(deadline=None, max_examples=100)
@given(st.lists(PLACES, min_size=1, max_size=5), st.integers(1, 14))
def test_a_window_holds_the_rows_of_one_episode_and_the_action_that_led_to_each(
    data, places, length
):
    found = data.windows(np.array(places), length, AHEAD)
    for index, (episode, start) in enumerate(places):
        for row in range(length + AHEAD):
            step = start + row
            inside = step < LENGTHS[episode]
            last = step == LENGTHS[episode] - 1
            assert found["present"][index, row] == inside
            assert found["next_known"][index, row] == (inside and not last)
            assert found["next_action"][index, row] == (100 + step if inside and not last else 0)
            assert found["reward_known"][index, row] == (inside and step > 0)
            expected = step + 1000 * episode if inside and step else 0
            assert found["reward"][index, row] == expected
            assert found["is_last"][index, row] == (inside and last)
            assert found["is_terminal"][index, row] == (inside and last and episode % 2 == 0)
            if row < length:
                assert found["valid"][index, row] == inside
                known = inside and step > 0
                assert found["known"][index, row] == known
                assert found["action"][index, row] == (100 + step - 1 if known else 0)
                assert found["is_first"][index, row] == (inside and step == 0)
                wanted = [episode, step] if inside else [0, 0]
                assert found["image"][index, row, 0, 0, :2].tolist() == wanted


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_drawn_windows_lie_within_one_episode(data, length, seed):
    places = data.draw(np.random.default_rng(seed), 50, length)
    assert data.windows(places, length)["valid"].all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 30), st.integers(0, 1000))
def test_padded_windows_begin_within_an_episode(data, length, seed):
    places = data.draw(np.random.default_rng(seed), 50, length, pad=True)
    assert data.windows(places, length)["valid"][:, 0].all()


def test_all_windows_are_equally_probable(data):
    places = data.draw(np.random.default_rng(0), 20000, 5)
    _, counts = np.unique(places, axis=0, return_counts=True)
    assert len(counts) == 1 + 8 + 3 + 5
    expected = 20000 / len(counts)
    assert ((counts - expected) ** 2 / expected).sum() < 45  # chi-square of 16, p = 1e-4


def test_windows_can_be_drawn_from_some_episodes_only(data):
    places = data.draw(np.random.default_rng(0), 100, 5, among=[2, 4])
    assert set(places[:, 0]) == {2, 4}


def test_the_same_generator_draws_the_same_windows(data):
    one, two = (data.draw(np.random.default_rng([3, 7]), 9, 4) for _ in range(2))
    assert (one == two).all()


def test_actions_that_are_not_labelled_are_not_known(tmp_path):
    data = write(tmp_path / "a.parquet", (6,), unlabelled=[(0, 2)])
    found = data.windows(np.array([[0, 1]]), 4)
    assert found["known"].tolist() == [[True, True, False, True]]
    assert found["next_known"].tolist() == [[True, False, True, True]]
    assert found["action"].tolist() == [[100, 101, 0, 103]]


def test_windows_that_no_episode_fills_are_refused_in_one_sentence(data):
    data.check(12, "dyn.length")
    with pytest.raises(Refused, match="more than 12 steps, but option dyn.length asks for .* 13"):
        data.check(13, "dyn.length")
    with pytest.raises(Refused, match="no episode of 13 steps"):
        data.draw(np.random.default_rng(0), 3, 13)


def test_a_data_set_without_episodes_is_refused(tmp_path):
    with pytest.raises(Refused, match="a.parquet has no episodes"):
        write(tmp_path / "a.parquet", ())


def test_a_changed_byte_is_refused_or_harmless(tmp_path):
    path, noticed = tmp_path / "a.parquet", 0
    clean = write(path, (5, 3)).reward
    content = path.read_bytes()
    pages = len(content) - trajectory.open_file(path, "dataset").metadata.serialized_size - 8
    for place in range(4, pages, 23):
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            assert (Episodes(path, tmp_path / f"work{place}").reward == clean).all()
        except Refused as error:
            noticed += "a.parquet is damaged" in str(error)
    assert noticed


def test_images_are_decoded_once_and_again_when_the_data_change(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, (3, 4))
    (kept,) = (tmp_path / "work").iterdir()
    before = kept.stat().st_mtime_ns
    assert len(Episodes(path, tmp_path / "work").images) == 7
    assert kept.stat().st_mtime_ns == before
    write(path, (3, 5))
    (other,) = (tmp_path / "work").iterdir()
    assert other != kept and len(Episodes(path, tmp_path / "work").images) == 8


def test_returns_are_sums_over_episodes(data):
    assert data.returns().tolist() == [sum(range(n)) + 1000 * e * n for e, n in enumerate(LENGTHS)]
    assert data.position[:5].tolist() == [[step, step + 1] for step in range(5)]


def test_images_are_read_from_disk_not_held_in_memory(data):
    assert isinstance(data.images, np.memmap)
