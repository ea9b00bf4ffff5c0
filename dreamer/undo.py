"""Undo files: what rows held when a state was saved, so that saving need not copy them."""

from pathlib import Path

import numpy as np


class Undo:
    """Keeps a row's value at the last save before the row is overwritten for the first time.

    `chunks` are the rows; each environment keeps at most `capacity` of them.
    """

    def __init__(self, chunks, envs, capacity):
        self.chunks = chunks
        self._kind = np.dtype([("env", "<i4"), ("time", "<i8"), ("row", chunks.kind)])
        self._kept = np.zeros((envs, capacity), bool)
        self._path, self._end = None, 0

    def begin(self, path, end):
        """From now on keep the present value of rows earlier than `end` in the file `path`."""
        self._path, self._end = Path(path), end
        self._path.write_bytes(b"")
        self._kept[:] = False

    def keep(self, env, time, count):
        """Call before `count` rows from `time` on are overwritten."""
        times = np.arange(time, min(time + count, self._end))
        places = times % self._kept.shape[1]
        if self._path is None or not len(times) or self._kept[env, places].all():
            return
        old = np.zeros(len(times), self._kind)
        old["env"], old["time"] = env, times
        old["row"] = self.chunks.read(env, time, np.empty(len(times), self.chunks.kind))
        with open(self._path, "ab", buffering=0) as file:
            file.write(old[~self._kept[env, places]].tobytes())
        self._kept[env, places] = True

    def apply(self, path):
        """Put the rows kept in a file back; a record cut off by a kill was never needed."""
        if not Path(path).exists():
            return
        content = Path(path).read_bytes()
        whole = len(content) // self._kind.itemsize
        records = np.frombuffer(content, self._kind, whole)
        rows = np.ascontiguousarray(records["row"])
        for place, (env, time) in enumerate(zip(records["env"], records["time"], strict=True)):
            self.chunks.write(int(env), int(time), rows[place : place + 1])
