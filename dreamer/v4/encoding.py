"""Latents of all frames of some episodes, computed once with a frozen tokenizer and kept on disk.

An episode is encoded in pieces that begin as many frames early as the tokenizer can look back, so
each latent is the one of the whole episode.
"""

import hashlib
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np

from dreamer import stages
from dreamer.v4 import tokenizer
from jobs import files

PIECE, BATCH = 16, 16  # frames kept of a piece, pieces at once


@contextmanager
def encoded(values, config, episodes, folder):
    """Yields latents float16 [N, N_b, D_b] of `episodes`, kept in `folder` while they are needed.

    A second call with the same tokenizer and episodes finds them there.
    """
    mine = {name: value for name, value in values.items() if name.startswith("tok/enc")}
    path = Path(folder, f"latents-{_digest(mine, config, episodes)}.npy")
    if not path.exists() and jax.process_index() == 0:
        _write(path, mine, config, episodes)
    if jax.process_count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(path.name)
    yield np.load(path, mmap_mode="r")


def work(asked):
    """Folder of decoded images and latents, which all phases of a run share."""
    return asked.state.parent / "frames.work"


def pieces(lengths, reach):
    """(first row, first kept row, end) of every piece, rows counted over all episodes."""
    ends = np.cumsum(lengths)
    for begin, end in zip(ends - lengths, ends, strict=True):
        for kept in range(begin, end, PIECE):
            yield max(begin, kept - reach), kept, min(kept + PIECE, end)


def reach(config):
    """Frames before a frame that its latents may depend on."""
    return config.tok.encoder.count("T") * (config.tok.window - 1)


def _write(path, values, config, episodes):
    encode = jax.jit(tokenizer.encode, static_argnums=1)
    todo = list(pieces(episodes.length, reach(config)))
    frames, length = len(episodes.images), PIECE + reach(config)
    shape = frames, config.tok.latents, config.tok.channels
    with (
        files.atomic(path) as temporary,
        stages.Progress("encoding", frames, "frames", "frames") as bar,
    ):
        out = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
        for start in range(0, len(todo), BATCH):
            some = todo[start : start + BATCH]
            rows = [np.minimum(first + np.arange(length), end - 1) for first, _, end in some]
            rows += [rows[-1]] * (BATCH - len(some))  # so that every call has one shape
            found = np.asarray(encode(values, config, episodes.images[np.stack(rows)]))
            for z, (first, kept, end) in zip(found, some, strict=False):
                out[kept:end] = z[kept - first : end - first]
            bar.update(some[-1][2], sum(end - kept for _, kept, end in some))
        out.flush()


def _digest(values, config, episodes):
    """What the latents depend on: weights, options of the tokenizer, and the data."""
    total = hashlib.sha256(repr((config.tok, config.dtype, files.sha256(episodes.path))).encode())
    for name in sorted(values):
        total.update(np.asarray(values[name]).tobytes())
    return total.hexdigest()[:16]
