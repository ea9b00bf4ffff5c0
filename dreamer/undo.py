"""Undo files: what rows held when a state was saved, so that saving need not copy them."""

import os
from pathlib import Path

import numpy as np

from dreamer.chunks import File
from jobs import files

BLOCK = 4096  # records put back at once
NAME, START = "undo", b"undo file\n"  # of a save; what every whole one begins with


def blank(folder):
    """Put an undo file with no rows into the folder of a save, at once."""
    fresh = Path(folder, f".{NAME}")
    fresh.write_bytes(START)
    files.sync(fresh)
    os.replace(fresh, Path(folder, NAME))


def problem(saves):
    """Which of these saves' undo files cannot be read, in words; None where all can."""
    for folder in saves:
        path = Path(folder, NAME)
        if not path.is_file() or _first(path) != START:
            return f"{path} is missing or damaged"
    return None


def _first(path):
    with open(path, "rb") as file:
        return file.read(len(START))


class Undo:
    """Keeps a row's value at the last save before the row is overwritten for the first time.

    `chunks` are the rows; each environment keeps at most `capacity` of them.
    """

    def __init__(self, chunks, capacity):
        self.chunks = chunks
        self._kind = np.dtype([("env", "<i4"), ("time", "<i8"), ("row", chunks.kind)])
        self._kept = np.zeros((chunks.envs, capacity), bool)
        self._file, self._path, self._end = None, None, 0

    def sync(self):
        """Force what was kept so far onto the disk."""
        if self._file:
            os.fsync(self._file.handle)

    def begin(self, folder, end):
        """From now on keep the present value of rows earlier than `end` in a file in `folder`."""
        blank(folder)
        self._path, self._end = Path(folder, NAME), end
        self._file = File(self._path, os.O_WRONLY | os.O_APPEND)
        self._kept[:] = False

    def keep(self, env, time, count):
        """Call before `count` rows from `time` on are overwritten."""
        times = np.arange(time, min(time + count, self._end))
        places = times % self._kept.shape[1]
        if self._file is None or not len(times) or self._kept[env, places].all():
            return
        old = np.empty(len(times), self._kind)
        old["env"], old["time"] = env, times
        old["row"] = self.chunks.read(env, time, np.empty(len(times), self.chunks.kind))
        self._append(old[~self._kept[env, places]].tobytes())
        self._kept[env, places] = True

    def apply(self, folder):
        """Put the rows kept in `folder` back; a record cut off by a kill was never needed."""
        size = self._kind.itemsize
        with open(Path(folder, NAME), "rb") as file:
            file.seek(len(START))
            while content := file.read(BLOCK * size):
                self._put_back(np.frombuffer(content, self._kind, len(content) // size))

    def _append(self, content):
        with files.writing(self._path):
            while content:
                content = content[os.write(self._file.handle, content) :]

    def _put_back(self, records):
        """Write records [M], those that follow each other in time at once."""
        env, time = records["env"].astype(np.int64), records["time"]
        rows = np.ascontiguousarray(records["row"])
        breaks = np.flatnonzero((np.diff(env) != 0) | (np.diff(time) != 1)) + 1
        bounds = [0, *breaks.tolist(), len(records)]
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            if stop > start:
                self.chunks.write(int(env[start]), int(time[start]), rows[start:stop])
