"""Images of dreams beside those of the real future, for a few starts."""

import io

import numpy as np
from PIL import Image

from dreamer import trajectory

STRIPS, COLUMNS = 2, 8
LABELS = {"forced": "dream,\nreal actions", "policy": "dream,\npolicy acts"}


def strips(dreams, recording):
    """[{h: steps shown, rows: [(label, images)]}] of the first starts whose images were kept.

    A missing image is None.
    """
    names = ["start_episode", "start_step", "h", "variant", "image"]
    if not trajectory.has(dreams, "image", kind="dreams"):
        return []
    read = trajectory.read(dreams, names, "dreams")
    kept = [row for row in np.flatnonzero(read["h"] > 0) if read["image"][row] is not None]
    keys = [(read["start_episode"][row], read["start_step"][row]) for row in kept]
    starts = list(dict.fromkeys(keys))[:STRIPS]
    last = int(read["h"].max())
    shown = np.unique(np.linspace(0, last, min(COLUMNS, last + 1)).round().astype(int))
    return [_strip(read, recording, *start, shown) for start in starts]


def _strip(read, recording, episode, step, shown):
    here = (read["start_episode"] == episode) & (read["start_step"] == step)
    rows = [(f"real, episode {episode}\nfrom step {step}", real(recording, episode, step + shown))]
    for variant, label in LABELS.items():
        own = np.flatnonzero(here & (read["variant"] == variant))
        found = {int(read["h"][row]): read["image"][row] for row in own}
        if found:
            rows.append((label, [_decode(found.get(int(h))) for h in shown]))
    return {"h": shown.tolist(), "rows": rows}


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
