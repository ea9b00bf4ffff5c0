"""Rows on disk: what is read is what was last written, however the files are cut and linked."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import chunks
from dreamer.undo import Undo

KIND = np.dtype([("number", "<i8"), ("some", "u1", (3,))])
ENVS = 3


def rows(numbers):
    found = np.zeros(len(numbers), KIND)
    found["number"] = numbers
    found["some"] = np.asarray(numbers)[:, None] % 251
    return found


def make(folder, length=8):
    return chunks.Chunks(folder / "rows", KIND, ENVS, length)


def read(store, env, time, count):
    return store.read(env, time, np.empty(count, KIND))["number"].tolist()


def fill(store, count):
    for time in range(count):
        store.append(time, rows([1000 * env + time for env in range(ENVS)]))


@given(
    writes=st.lists(
        st.tuples(st.integers(0, ENVS - 1), st.integers(0, 35), st.integers(1, 15)), max_size=12
    ),
    length=st.integers(1, 20),
    held=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_reads_give_what_was_written_last(tmp_path_factory, writes, length, held):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "OPEN", held)
        store = make(tmp_path_factory.mktemp("chunks"), length)
    fill(store, 50)
    expected = 1000 * np.arange(ENVS)[:, None] + np.arange(50)
    for number, (env, time, count) in enumerate(writes):
        store.write(env, time, rows(np.arange(count) + 10_000 * number))
        expected[env, time : time + count] = np.arange(count) + 10_000 * number
    for env in range(ENVS):
        assert read(store, env, 0, 50) == expected[env].tolist()


def test_few_files_are_open_and_dropped_ones_give_their_space_back(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "OPEN", 4)
    store = make(tmp_path)
    fill(store, 100)
    assert len(held(tmp_path)) == 4
    store.drop(90)
    assert len(list(store.folder.iterdir())) == 2
    assert not [path for path in held(tmp_path) if path.endswith("(deleted)")]
    assert read(store, 1, 90, 10) == list(range(1090, 1100))
    del store
    assert not held(tmp_path)


def held(folder):
    """Paths below a folder that this process has open."""
    found = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    paths = [os.readlink(path) for path in found if os.path.islink(path)]
    return [path for path in paths if path.startswith(str(folder))]


def test_a_file_in_use_elsewhere_stays_open_until_its_reader_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "OPEN", 1)
    store = make(tmp_path)
    fill(store, 8)
    file = store._file(0)
    read(store, 0, 0, 1)
    fill(store, 40)
    assert os.pread(file.handle, 8, 0) == (0).to_bytes(8, "little")


def test_a_restored_series_goes_on_where_its_links_were_made(tmp_path):
    store = make(tmp_path)
    fill(store, 30)
    store.drop(17)
    store.sync()
    store.link(tmp_path / "save")
    fill(store, 60)
    store.drop(50)
    again = make(tmp_path)
    again.restore(tmp_path / "save")
    assert sorted(path.name[-1] for path in again.folder.iterdir()) == ["2", "3"]
    assert read(again, 2, 17, 13) == list(range(2017, 2030))
    again.drop(24)
    assert [path.name[-1] for path in again.folder.iterdir()] == ["3"]


def test_a_row_that_was_never_written_cannot_be_read(tmp_path):
    store = make(tmp_path)
    fill(store, 5)
    with pytest.raises(EOFError, match="shorter than the rows it should hold"):
        read(store, ENVS - 1, 0, 8)


@given(
    marks=st.lists(
        st.tuples(st.integers(0, ENVS - 1), st.integers(0, 25), st.integers(1, 14)), max_size=10
    ),
    cut=st.integers(0, 10),
    block=st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_undoing_brings_back_every_row_of_the_save(tmp_path_factory, marks, cut, block):
    folder = tmp_path_factory.mktemp("undo")
    store = make(folder)
    fill(store, 40)
    undo = Undo(store, 40)
    undo.begin(folder, 30)
    for env, time, count in marks:
        undo.keep(env, time, count)
        store.write(env, time, rows(np.full(count, 7)))
    with open(folder / "undo", "ab") as file:
        file.write(b"x" * cut)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dreamer.undo.BLOCK", block)
        undo.apply(folder)
    for env in range(ENVS):
        assert read(store, env, 0, 30) == list(range(1000 * env, 1000 * env + 30))
