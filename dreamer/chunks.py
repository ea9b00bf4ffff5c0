"""Rows of a fixed size on disk: per environment a series of files, each of `length` rows.

Plain reads and writes, so memory stays small and what was used lately lies in the page cache.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from jobs import files


class Chunks:
    """Rows of the structured dtype `kind`, addressed by environment and time (counted from 0)."""

    def __init__(self, folder, kind, length=1024):
        self.folder, self.kind, self.length = Path(folder), np.dtype(kind), length
        self._written = set()
        self.clear()

    def clear(self):
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._oldest = 0

    def write(self, env, time, rows):
        """Put rows [T] at time, time + 1, ..."""
        for chunk, offset, part in self._parts(time, len(rows)):
            path = self._path(env, chunk)
            with _opened(path, os.O_WRONLY | os.O_CREAT) as handle:
                _whole(os.pwrite, handle, rows[part], offset)
            self._written.add(path)

    def read(self, env, time, out):
        """Fill the contiguous array `out` [T] with the rows at time, time + 1, ..."""
        for chunk, offset, part in self._parts(time, len(out)):
            with _opened(self._path(env, chunk), os.O_RDONLY) as handle:
                _whole(_pread, handle, out[part], offset)
        return out

    def drop(self, before):
        """Remove the files that hold only rows earlier than `before`."""
        for chunk in range(self._oldest, before // self.length):
            for path in self.folder.glob(f"*-{chunk:08d}"):
                path.unlink()
                self._written.discard(path)
        self._oldest = max(self._oldest, before // self.length)

    def sync(self):
        """Force what was written since the last call onto the disk."""
        for path in sorted(self._written):
            files.sync(path)
        self._written.clear()

    def link(self, folder):
        """Give all files a second name in `folder`; their content stays shared."""
        _link(self.folder, Path(folder))

    def restore(self, folder):
        """Take the files of a folder made by `link` in place of what is here."""
        shutil.rmtree(self.folder)
        _link(Path(folder), self.folder)
        chunks = [int(path.name.split("-")[1]) for path in self.folder.iterdir()]
        self._oldest = min(chunks, default=0)
        self._written.clear()

    def _path(self, env, chunk):
        return self.folder / f"{env:04d}-{chunk:08d}"

    def _parts(self, time, count):
        """(chunk, first row in it, slice of the asked rows) for each file touched."""
        done = 0
        while done < count:
            chunk, offset = divmod(time + done, self.length)
            size = min(self.length - offset, count - done)
            yield chunk, offset, slice(done, done + size)
            done += size


@contextmanager
def _opened(path, mode):
    handle = os.open(path, mode, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _pread(handle, view, place):
    return os.preadv(handle, [view], place)


def _whole(move, handle, rows, offset):
    """Read or write all of `rows` from row `offset` of a file on; the system may do it in parts."""
    view, place = rows.view(np.uint8).data, offset * rows.itemsize
    while len(view):
        done = move(handle, view, place)
        if not done:
            raise EOFError("a replay file is shorter than the rows it should hold")
        view, place = view[done:], place + done


def _link(source, target):
    target.mkdir(parents=True)
    for path in source.iterdir():
        os.link(path, target / path.name)
