"""What a training tells: rows that become the published tables, and TensorBoard beside them."""

import io
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboardX import SummaryWriter
from tensorboardX.proto.summary_pb2 import Summary

from dreamer import trajectory


class Lines:
    """A file of JSON rows that grows, one line per row; it holds no wall-clock times."""

    def __init__(self, path):
        self.path = Path(path)

    def add(self, row):
        """Append a row; numbers that are not finite become null."""
        finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
        with open(self.path, "a") as file:
            file.write(json.dumps(finite) + "\n")

    def size(self):
        """Bytes so far: what `cut` takes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def cut(self, size):
        """Drop the rows after `size` bytes."""
        self.path.touch()
        with open(self.path, "r+b") as file:
            file.truncate(size)

    def publish(self, path, kind, header, whole, real):
        """Write all rows as a Parquet table; `whole` and `real` name its columns by their type."""
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        names = list(dict.fromkeys([*whole, *real, *(rows[0] if rows else ())]))
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
    """TensorBoard: scalars over environment steps, and animations."""

    def __init__(self, folder):
        self.writer = SummaryWriter(str(folder))

    def scalars(self, step, row):
        """Every number of a row."""
        for name, value in row.items():
            self.writer.add_scalar(name, value, step)

    def video(self, step, name, frames):
        """Frames uint8 [T, H, W, 3] as a GIF."""
        height, width = frames.shape[1:3]
        image = Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=gif(frames)
        )
        summary = Summary(value=[Summary.Value(tag=name, image=image)])
        self.writer.file_writer.add_summary(summary, step)
        self.writer.flush()

    def close(self):
        """Write what is left."""
        self.writer.close()


def gif(frames, pause=125):
    """Bytes of an animation that repeats; frames uint8 [T, H, W, 3], `pause` in milliseconds."""
    first, *rest = [Image.fromarray(frame) for frame in frames]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=rest, duration=pause, loop=0)
    return content.getvalue()
