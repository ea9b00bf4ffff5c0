"""Rows of a fixed size on disk: a series of files, each with `length` rows of every environment.

Plain reads and writes, so memory stays small and what was used lately lies in the page cache.
"""

import functools
import os
import shutil
from pathlib import Path

import numpy as np

from jobs import files

OPEN = 128  # files of one series held open, far fewer than a process may have


class File:
    """An open file that is closed with its last user, also if that is another thread."""

    handle = -1

    def __init__(self, path, flags):
        self.handle = os.open(path, flags, 0o644)

    def __del__(self):
        if self.handle >= 0:
            os.close(self.handle)


class Chunks:
    """Rows of the structured dtype `kind`, addressed by environment and time (counted from 0).

    In a file the rows of one environment lie one after another.
    """

    def __init__(self, folder, kind, envs, length=1024):
        self.folder, self.kind = Path(folder), np.dtype(kind)
        self.envs, self.length = envs, length
        self._file = functools.lru_cache(OPEN)(functools.partial(_open, self.folder))
        self._written = set()
        self.clear()

    def clear(self):
        """Forget everything."""
        self._file.cache_clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._oldest = 0

    def append(self, time, rows):
        """Put one row of every environment [N] at `time`."""
        chunk, offset = divmod(time, self.length)
        with files.writing(self.folder):
            handle = self._file(chunk).handle
            for env in range(self.envs):
                _whole(os.pwrite, handle, rows[env : env + 1], env * self.length + offset)
        self._written.add(chunk)

    def write(self, env, time, rows):
        """Put rows [T] of one environment at time, time + 1, ..."""
        for chunk, offset, part in self._parts(env, time, len(rows)):
            with files.writing(self.folder):
                _whole(os.pwrite, self._file(chunk).handle, rows[part], offset)
            self._written.add(chunk)

    def read(self, env, time, out):
        """Fill the contiguous array `out` [T] with the rows at time, time + 1, ..."""
        for chunk, offset, part in self._parts(env, time, len(out)):
            _whole(_pread, self._file(chunk).handle, out[part], offset)
        return out

    def drop(self, before):
        """Remove the files that hold only rows earlier than `before`."""
        gone = range(self._oldest, before // self.length)
        for chunk in gone:
            _path(self.folder, chunk).unlink(missing_ok=True)
        if gone:
            self._file.cache_clear()  # a file that is open keeps its place on the disk
            self._written.difference_update(gone)
            self._oldest = gone.stop

    def sync(self):
        """Force what was written since the last call onto the disk."""
        for chunk in sorted(self._written):
            os.fsync(self._file(chunk).handle)
        files.sync(self.folder)
        self._written.clear()

    def link(self, folder):
        """Give all files a second name in `folder`; their content stays shared."""
        _link(self.folder, Path(folder))

    def restore(self, folder):
        """Take the files of a folder made by `link` in place of what is here."""
        self._file.cache_clear()
        shutil.rmtree(self.folder)
        _link(Path(folder), self.folder)
        self._oldest = min((int(path.name) for path in self.folder.iterdir()), default=0)
        self._written.clear()

    def _parts(self, env, time, count):
        """(chunk, first row in its file, slice of the asked rows) for each file touched."""
        done = 0
        while done < count:
            chunk, offset = divmod(time + done, self.length)
            size = min(self.length - offset, count - done)
            yield chunk, env * self.length + offset, slice(done, done + size)
            done += size


def _path(folder, chunk):
    return folder / f"{chunk:08d}"


def _open(folder, chunk):
    return File(_path(folder, chunk), os.O_RDWR | os.O_CREAT)


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
    files.sync(target)
