"""Experience on disk: rows of N environments, drawn again as windows of consecutive rows.

A window's first row gives the belief to start from; the rows after it are trained on and get their
fresh belief back. In the shapes, B is batch, T the rows of a window, N environments.
"""

import contextlib
from pathlib import Path
from time import perf_counter

import numpy as np

from dreamer import samplers, undo
from dreamer.chunks import Chunks
from dreamer.draws import Draws
from dreamer.undo import Undo

FLAGS = ("is_first", "is_last", "is_terminal")


class Replay:
    """The newest rows in `folder`; in RAM are only a few bytes per row, for the sampler.

    `rows` and `latents` are structured dtypes (see `kinds`), `settings` the block `replay` of the
    options. All environments advance together, so a window is consecutive in time and never joins
    the newest rows to the oldest.
    """

    def __init__(self, folder, rows, latents, envs, window, settings):
        self.envs, self.window, self.kept = envs, window, settings["size"] // envs
        self.rows = Chunks(Path(folder, "rows"), rows, envs)
        self.latents = Chunks(Path(folder, "latents"), latents, envs)
        self.undo = Undo(self.latents, self.kept)
        self.sampler = samplers.make(envs, window, self.kept, settings)
        self.fresh = samplers.Fresh(envs, window) if settings["online"] else None
        self.draws = Draws(envs, window, self.kept)
        self.end = 0  # rows that each environment ever gave
        self.seconds = {"keep": 0.0, "draw": 0.0, "learn": 0.0}  # spent in the sampler

    def __len__(self):
        return self.envs * (self.end - self.oldest)

    @property
    def oldest(self):
        """Time of the earliest row that is kept."""
        return max(0, self.end - self.kept)

    def add(self, row):
        """Append one row [N, ...] of every environment: {name: array}, belief layers included."""
        for chunks in (self.rows, self.latents):
            chunks.append(self.end, _pack(row, chunks.kind, (self.envs,)))
        self.end += 1
        for chunks in (self.rows, self.latents):
            chunks.drop(self.oldest)
        self.draws.keep(self.oldest, self.end)
        with self._clocked("keep"):
            self.sampler.keep(self.oldest, self.end)

    def sample(self, rng, count):
        """(batch, windows [B, 2]): fresh windows first, then what the sampler draws.

        batch: row names [B, T, ...] and, for each belief layer, float32 [B, units] of row 0. A row
        before one with is_first gets is_last: its episode was abandoned there.
        """
        windows = np.zeros((0, 2), np.int64)
        if self.fresh:
            windows = self.fresh.take(count, self.oldest, self.end)
        with self._clocked("draw"):
            drawn = self.sampler.draw(rng, count - len(windows))
        windows = np.concatenate([windows, drawn])
        self.draws.add(windows)
        batch = self.read(windows, self.window)
        batch["is_last"] = batch["is_last"].copy()
        batch["is_last"][:, :-1] |= batch["is_first"][:, 1:]
        return batch, windows

    def read(self, windows, length):
        """Rows and first beliefs of windows [B, 2] of `length` rows, as they are stored."""
        rows, first = self._empty(len(windows), length)
        for place, (env, time) in enumerate(windows.tolist()):
            self.rows.read(env, time, rows[place])
            self.latents.read(env, time, first[place])
        return _batch(rows, first)

    def cover(self):
        """Windows [B, 2] that hold each kept row, all but the very first, after their first one."""
        starts = np.arange(self.oldest, self.end - self.window, self.window - 1)
        starts = np.append(starts, self.end - self.window)
        env, start = np.meshgrid(np.arange(self.envs), starts, indexing="ij")
        return np.stack([env.ravel(), start.ravel()], 1)

    def measure(self):
        """What to log of the sampler and its draws: {name: number}."""
        found = self.sampler.measure() | self.draws.measure()
        return {f"replay/{name}": value for name, value in found.items()}

    def blank(self, count):
        """A batch of `count` windows as `sample` gives them, of any content."""
        return _batch(*self._empty(count, self.window))

    def write_back(self, windows, fresh):
        """Store the belief layers [B, T - 1, units] of the rows after each window's first one.

        `fresh["signal"]`, if it is there, goes to the sampler.
        """
        length = self.window - 1
        new = _pack(fresh, self.latents.kind, (len(windows), length))
        for place, (env, time) in enumerate(windows.tolist()):
            gone = max(0, self.oldest - time - 1)
            start, count = time + 1 + gone, length - gone
            self.undo.keep(env, start, count)
            self.latents.write(env, start, new[place, gone:])
        with self._clocked("learn"):
            self.sampler.learn(windows, fresh.get("signal", {}))

    def save(self, folder):
        """Put into `folder` what `restore` needs, without copying rows; returns (facts, arrays)."""
        for written in (self.rows, self.latents, self.undo):
            written.sync()
        self.rows.link(Path(folder, "rows"))
        self.latents.link(Path(folder, "latents"))
        undo.blank(folder)
        served = self.fresh.served if self.fresh else 0
        drawn = {f"draws/{name}": array for name, array in self.draws.state().items()}
        return {"end": self.end, "served": served}, self.sampler.state() | drawn

    def protect(self, folder):
        """Keep the state in `folder`, saved just now, whole while rows are overwritten."""
        self.undo.begin(folder, self.end)

    def restore(self, folder, facts, arrays, undone):
        """Return to what was saved in `folder`; `undone` are the later saves, newest first."""
        self.rows.restore(Path(folder, "rows"))
        self.latents.restore(Path(folder, "latents"))
        for save in (*undone, folder):
            self.undo.apply(save)
        self.latents.sync()
        self.end = facts["end"]
        if self.fresh:
            self.fresh.served = facts["served"]
        drawn = {name: arrays.pop(f"draws/{name}") for name in self.draws.state()}
        self.draws.restore(drawn, self.oldest, self.end)
        self.sampler.restore(arrays)
        self.sampler.keep(self.oldest, self.end)

    @contextlib.contextmanager
    def _clocked(self, name):
        start = perf_counter()
        yield
        self.seconds[name] += perf_counter() - start

    def _empty(self, count, length):
        rows = np.empty((count, length), self.rows.kind)  # zeros would touch each page twice
        return rows, np.empty((count, 1), self.latents.kind)


def kinds(spaces, layers):
    """Structured dtypes (rows, latents) for `spaces.Spaces` and the family's layers."""
    action = spaces.action
    rows = [(name, space.dtype, space.shape) for name, space in spaces.observation]
    rows += [("action", "int32" if action.classes else "float32", action.shape)]
    rows += [("reward", "float32"), *((name, "bool") for name in FLAGS)]
    latents = [(layer.name, layer.dtype, (layer.width,)) for layer in layers if layer.belief]
    return np.dtype(rows), np.dtype(latents)


def _batch(rows, first):
    belief = {name: first[name][:, 0].astype(np.float32) for name in first.dtype.names}
    return {name: rows[name] for name in rows.dtype.names} | belief


def _pack(values, kind, shape):
    packed = np.empty(shape, kind)
    for name in kind.names:
        packed[name] = values[name]
    return packed
