"""The replay: what was stored comes back, in windows that are whole, and states can be restored."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import options, replay, spaces
from dreamer.family import Layer

WINDOW, ENVS = 5, 2
SPACES = spaces.Spaces((("image", spaces.Space((2, 2, 3), "uint8")),), spaces.Space((), "int32", 4))
LAYERS = [Layer("wide", 9), Layer("belief", 2, belief=True, dtype="float32")]


def make(folder, capacity=1000, chunk=8, online=False, sampler="uniform"):
    kinds = replay.kinds(SPACES, LAYERS)
    changes = {"replay.size": capacity, "replay.online": online, "replay.sampler": sampler}
    settings = options.resolve((), changes)["replay"]
    found = replay.Replay(folder, *kinds, ENVS, WINDOW, settings)
    found.rows.length = found.latents.length = chunk
    return found


def row(time, first=False):
    """A row whose every value tells its environment and time."""
    value = 100 * np.arange(ENVS) + time
    return {
        "image": np.broadcast_to(value[:, None, None, None] % 256, (ENVS, 2, 2, 3)),
        "action": value % 4,
        "reward": value,
        "is_first": np.full(ENVS, first),
        "is_last": np.zeros(ENVS, bool),
        "is_terminal": np.zeros(ENVS, bool),
        "belief": np.stack([value, -value], 1),
        "wide": np.zeros((ENVS, 9)),
    }


def fill(store, count, start=0):
    for time in range(start, start + count):
        store.add(row(time))


def draw(store, seed=0, count=6):
    return store.sample(np.random.default_rng(seed), count)


def fresh(windows, value):
    return {"belief": np.full((len(windows), WINDOW - 1, 2), value, np.float32)}


@given(steps=st.integers(WINDOW, 60), capacity=st.integers(ENVS * WINDOW, 80), seed=st.integers(0))
@settings(max_examples=30, deadline=None)
def test_every_drawn_window_is_consecutive_kept_and_as_stored(
    tmp_path_factory, steps, capacity, seed
):
    store = make(tmp_path_factory.mktemp("replay"), capacity)
    fill(store, steps)
    batch, windows = draw(store, seed)
    times = windows[:, 1:] + np.arange(WINDOW)
    assert times.min() >= steps - capacity // ENVS and times.max() < steps
    value = 100 * windows[:, :1] + times
    np.testing.assert_array_equal(batch["reward"], value)
    np.testing.assert_array_equal(batch["image"][..., 1, 0, 2], value % 256)
    np.testing.assert_array_equal(batch["belief"], np.stack([value[:, 0], -value[:, 0]], 1))


def test_files_of_rows_that_are_no_longer_kept_are_removed(tmp_path):
    store = make(tmp_path, capacity=40)
    fill(store, 200)
    assert len(store) == 40
    assert len(list((tmp_path / "rows").iterdir())) <= 20 // 8 + 2


def test_a_row_before_a_new_episode_is_last_even_if_the_episode_was_abandoned(tmp_path):
    store = make(tmp_path)
    for time in range(WINDOW):
        store.add(row(time, first=time == 3))
    batch, _ = draw(store)
    assert batch["is_last"].tolist() == [[False, False, True, False, False]] * 6


def test_fresh_windows_are_served_first_and_once(tmp_path):
    store = make(tmp_path, online=True)
    fill(store, 2 * WINDOW)
    _, windows = draw(store, count=3)
    assert windows.tolist() == [[0, 0], [1, 0], [0, WINDOW]]
    _, windows = draw(store, count=3)
    assert windows[0].tolist() == [1, WINDOW] and store.fresh.served == 4


def test_beliefs_are_written_back_for_all_rows_but_the_first(tmp_path):
    store = make(tmp_path)
    fill(store, 20)
    store.write_back(np.array([[1, 6]]), fresh([0], 0.5))
    read = store.read(np.array([[1, time] for time in range(20)]), 1)["belief"][:, 0]
    expected = 100.0 + np.arange(20)
    expected[7:11] = 0.5
    np.testing.assert_array_equal(read, expected)


def test_writing_back_rows_that_left_meanwhile_leaves_no_trace(tmp_path):
    store = make(tmp_path, capacity=20)
    fill(store, 20)
    windows = np.array([[0, 10]])
    fill(store, 12, start=20)
    store.write_back(windows, fresh(windows, 0.5))
    assert sorted({path.name[-1] for path in (tmp_path / "latents").iterdir()}) == ["2", "3"]


def test_a_save_survives_whatever_is_written_after_it(tmp_path):
    store, expected, saves = make(tmp_path / "live", capacity=40), [], []
    for index in range(2):
        fill(store, 15, start=15 * index)
        folder = tmp_path / f"save{index}"
        saves.append((folder, *store.save(folder)))
        store.protect(folder)
        expected.append(draw(store, seed=9))
        for seed in range(5):
            _, windows = draw(store, seed)
            store.write_back(windows, fresh(windows, index + seed / 10))
    fill(store, 30, start=30)
    for newest, undone in ((1, []), (0, [saves[1][0]])):
        again = make(tmp_path / "live", capacity=40)
        again.restore(*saves[newest], undone)
        batch, windows = draw(again, seed=9)
        np.testing.assert_array_equal(windows, expected[newest][1])
        for name, values in expected[newest][0].items():
            np.testing.assert_array_equal(batch[name], values)


def test_a_save_copies_no_rows(tmp_path):
    store = make(tmp_path / "live")
    fill(store, 50)
    store.save(tmp_path / "save")
    saved = list((tmp_path / "save").rglob("0*"))
    assert len(saved) == 2 * 7
    for path in saved:
        assert path.samefile(tmp_path / "live" / path.parent.name / path.name)
