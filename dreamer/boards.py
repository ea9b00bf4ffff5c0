"""Who shows a training while it runs, beside its own tables: TensorBoard, Weights & Biases, Scope.

Each takes scalars over steps, histograms and animations. Nothing leaves the machine: W&B runs
offline unless the environment variable WANDB_MODE says otherwise.
"""

import hashlib
import importlib.util
import io
import os
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dreamer import logs
from jobs import files
from jobs.errors import Refused

PROJECT = "dream-atlas"
PAUSE = 125  # milliseconds between frames


class Wandb:
    """Weights & Biases: one run per start, all of them with one id that `wandb sync` joins."""

    def __init__(self, folder, about):
        import wandb

        self._wandb, self._folder = wandb, Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        with files.writing(self._folder):
            self._run = wandb.init(
                project=PROJECT,
                name=about["name"],
                id=_id(self._folder, about["options"]),
                resume="allow",
                mode=os.environ.get("WANDB_MODE", "offline"),
                dir=str(self._folder),
                config=about["options"],
                settings=wandb.Settings(silent=True, disable_git=True, save_code=False),
            )
        self._run.define_metric("*", step_metric="step")

    def scalars(self, step, row):
        """Every number of a row."""
        self._log(step, row)

    def histogram(self, step, name, values):
        """How values [M] are distributed; nothing where there are none."""
        if len(values):
            self._log(step, {name: self._wandb.Histogram(np.asarray(values))})

    def video(self, step, name, frames):
        """Frames uint8 [T, H, W, 3] as a GIF."""
        content = io.BytesIO(logs.gif(frames, PAUSE))
        self._log(step, {name: self._wandb.Video(content, format="gif")})

    def close(self):
        """Write what is left."""
        self._run.finish()

    def _log(self, step, row):
        with files.writing(self._folder):
            self._run.log({"step": step, **row})


class Scope:
    """Scope's files: one per metric, to which every start appends."""

    def __init__(self, folder, about):
        import scope

        self._folder = Path(folder)
        with files.writing(self._folder):
            self._writer = scope.Writer(self._folder, workers=0)  # in this thread: errors are seen
            self._writer.add(0, {"options": files.canonical(about["options"])})

    def scalars(self, step, row):
        """Every number of a row."""
        self._add(step, {name: float(value) for name, value in row.items()})

    def histogram(self, step, name, values):
        """Scope has no histograms: the mean and the ends of values [M]."""
        if len(values):
            found = {"mean": np.mean(values), "min": np.min(values), "max": np.max(values)}
            self.scalars(step, {f"{name}_{end}": value for end, value in found.items()})

    def video(self, step, name, frames):
        """Frames uint8 [T, H, W, 3], edges repeated to the even sides that its codec takes."""
        sides = [(0, side % 2) for side in frames.shape[1:3]]
        self._add(step, {name: np.pad(frames, [(0, 0), *sides, (0, 0)], "edge")})

    def close(self):
        """Nothing is left to write."""

    def _add(self, step, row):
        with files.writing(self._folder):
            self._writer.add(step, {re.sub(r"[^a-z0-9_/]", "_", key.lower()): value
                                    for key, value in row.items()})  # fmt: skip
            self._writer.flush()


class Boards:
    """Several of them as one."""

    def __init__(self, boards):
        self._boards = boards

    def scalars(self, step, row):
        """Every number of a row."""
        for board in self._boards:
            board.scalars(step, row)

    def histogram(self, step, name, values):
        """How values [M] are distributed."""
        for board in self._boards:
            board.histogram(step, name, values)

    def video(self, step, name, frames):
        """Frames uint8 [T, H, W, 3]."""
        for board in self._boards:
            board.video(step, name, frames)

    def close(self):
        """Close them all."""
        for board in self._boards:
            board.close()


MAKERS = {
    "tensorboard": lambda folder, about: logs.Board(folder),
    "wandb": Wandb,
    "scope": Scope,
}


def check(names):
    """Refuse what is not installed, before anything is written."""
    for name in names:
        if name in ("wandb", "scope") and importlib.util.find_spec(name) is None:
            raise Refused(
                f"option logger names {name}, which is not installed; run: make logger-{name}"
            )


def _id(folder, asked):
    """The same for every start of a training, another where its folder or options differ."""
    text = files.canonical([str(folder.resolve()), asked])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def opened(names, folder, about, part=""):
    """The boards of these names, each in `folder`/<its name>/`part`.

    `about` has the run's name and options.
    """
    boards = Boards([MAKERS[name](Path(folder, name, part), about) for name in names
                     if name != "none"])  # fmt: skip
    try:
        yield boards
    finally:
        boards.close()
