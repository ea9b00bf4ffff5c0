"""Images of dreams beside those of the real future, for a few starts."""

import io

import numpy as np
from PIL import Image

from analysis import style
from dreamer import trajectory

PLT = style.plt

COLUMNS = 8
REAL = "real"
LABELS = {"forced": "dream,\nreal actions", "policy": "dream,\npolicy acts"}


def strips(dreams, recording, starts):
    """[{name, h: all imagined steps, rows: [(label, images)]}] of the starts with kept images.

    A row without images is left out; a missing image is None.
    """
    names = ["start_episode", "start_step", "h", "variant", "image"]
    if not trajectory.has(dreams, "image", kind="dreams"):
        return []
    read = trajectory.read(dreams, names, "dreams")
    found = [_strip(read, recording, *start) for start in starts]
    return [strip for strip in found if strip["kept"]]


def shown(strip):
    """At most COLUMNS of the imagined steps, evenly spaced."""
    last = len(strip["h"]) - 1
    return np.unique(np.linspace(0, last, min(COLUMNS, last + 1)).round().astype(int))


def _strip(read, recording, episode, step):
    here = (read["start_episode"] == episode) & (read["start_step"] == step)
    steps = np.arange(read["h"].max() + 1)
    rows, kept = [(REAL, real(recording, episode, step + steps))], False
    for variant, label in LABELS.items():
        own = np.flatnonzero(here & (read["variant"] == variant))
        found = {int(read["h"][row]): read["image"][row] for row in own}
        if found:
            rows.append((label, [_decode(found.get(int(h))) for h in steps]))
            kept |= any(found[h] is not None for h in found if h)
    name = f"episode {episode}\nstep {step}"
    return {"name": name, "h": steps.tolist(), "rows": rows, "kept": kept}


def real(path, episode, steps):
    """Recorded images of an episode at the given steps; reads that episode's row group alone."""
    file = trajectory.open_file(path)
    if not trajectory.has(path, "image"):
        return [None] * len(steps)
    for index in range(file.num_row_groups):
        keys = file.read_row_group(index, columns=["episode", "step"]).to_pydict()
        if keys["episode"][0] == episode:
            images = file.read_row_group(index, columns=["image"])["image"]
            place = {step: row for row, step in enumerate(keys["step"])}
            found = [place.get(int(step)) for step in steps]
            return [None if row is None else _decode(images[row].as_py()) for row in found]
    return [None] * len(steps)


def _decode(content):
    return None if content is None else np.asarray(Image.open(io.BytesIO(content)))


def draw(strips, svg):
    """Images of reality and of both dreams, a block of rows per start."""
    rows = [(strip, *row) for strip in strips for row in strip["rows"]]
    columns = shown(strips[0])
    size = (1.05 * len(columns) + 1.6, 1.12 * len(rows) + 0.5)
    figure, axes = PLT.subplots(len(rows), len(columns), figsize=size, squeeze=False)
    for line, (strip, label, images) in zip(axes, rows, strict=True):
        for axis, h in zip(line, columns, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if images[h] is not None:
                axis.imshow(images[h], interpolation="nearest")
        words = f"{strip['name']}\n{label}" if label == REAL else label
        line[0].set_ylabel(words, rotation=0, ha="right", va="center", fontsize=8)
    for axis, step in zip(axes[0], columns, strict=True):
        axis.set_title(f"h = {step}", fontsize=9)
    style.save(figure, svg)
