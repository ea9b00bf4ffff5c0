"""What a training tells: rows that become the published tables, and TensorBoard beside them."""

import io
import json
import math
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from dreamer import trajectory
from jobs import files
from jobs.errors import Refused


class Lines:
    """A file of JSON rows that grows, one line per row; it holds no wall-clock times."""

    def __init__(self, path):
        self.path = Path(path)

    def add(self, row):
        """Append a row; numbers that are not finite become null."""
        finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
        with files.writing(self.path), open(self.path, "a") as file:
            file.write(json.dumps(finite) + "\n")

    def size(self):
        """Bytes so far, now safe on the disk: what `cut` takes."""
        files.sync(self.path)
        return self.path.stat().st_size

    def cut(self, size):
        """Drop the rows after `size` bytes."""
        self.path.touch()
        if self.path.stat().st_size < size:
            raise Refused(
                f"{self.path} lost rows that were saved; remove {self.path.parent} to train anew"
            )
        os.truncate(self.path, size)

    def last(self):
        """The newest whole row, {} without one."""
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        whole = [line for line in lines if line.endswith("}\n")]
        return json.loads(whole[-1]) if whole else {}

    def publish(self, path, kind, header, whole, real):
        """Write all rows as a Parquet table; `whole` and `real` name its columns by their type.

        A row need not have every other column: what is measured now and then is NaN elsewhere.
        """
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        names = list(dict.fromkeys([*whole, *real, *(name for row in rows for name in row)]))
        columns = {name: [row.get(name) for row in rows] for name in names}
        kinds = {name: np.int64 if name in whole else np.float64 for name in names}
        arrays = {name: np.array(columns[name], kinds[name]) for name in names}
        trajectory.write_log(path, kind, header, arrays)


class Episodes:
    """Score, length and achievements of every finished episode of N environments."""

    def __init__(self, envs, achievements):
        self.names = [f"achievement_{name}" for name in achievements]
        self.score, self.length = [0.0] * envs, [0] * envs

    def add(self, step, row, episode):
        """Rows of the episodes that end with this row of the driver; `episode` [N] numbers them."""
        ended = []
        for env, (first, last) in enumerate(zip(row["is_first"], row["is_last"], strict=True)):
            self.score[env] = float(row["reward"][env]) + (0.0 if first else self.score[env])
            self.length[env] = 0 if first else self.length[env] + 1
            if last:
                found = {"step": step, "env": env, "episode": int(episode[env])}
                found |= {"score": self.score[env], "length": self.length[env]}
                counts = row["info"]["achievements"][env] if self.names else ()
                ended.append(found | dict(zip(self.names, map(int, counts), strict=True)))
        return ended


class Board:
    """TensorBoard: scalars over environment steps, and animations.

    Written at once and in this thread, so that a full disk is an error and not a thread that died.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with files.writing(self.folder):
            self.writer = EventsWriter(str(self.folder / "events"))

    def scalars(self, step, row):
        """Every number of a row."""
        items = [Summary.Value(tag=name, simple_value=value) for name, value in row.items()]
        self._add(step, items)

    def histogram(self, step, name, values):
        """How values [M] are distributed; nothing where there are none."""
        if len(values):
            self._add(step, summary.histogram(name, values, "auto").value)

    def video(self, step, name, frames):
        """Frames uint8 [T, H, W, 3] as a GIF."""
        height, width = frames.shape[1:3]
        image = Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=gif(frames)
        )
        self._add(step, [Summary.Value(tag=name, image=image)])

    def close(self):
        """Close the file."""
        with files.writing(self.folder):
            self.writer.close()

    def _add(self, step, items):
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=items))
        with files.writing(self.folder):
            self.writer.write_event(event)
            self.writer.flush()


def gif(frames, pause=125):
    """Bytes of an animation that repeats; frames uint8 [T, H, W, 3], `pause` in milliseconds."""
    first, *rest = [Image.fromarray(frame) for frame in frames]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=rest, duration=pause, loop=0)
    return content.getvalue()
