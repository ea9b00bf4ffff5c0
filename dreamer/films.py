"""An episode as it was played, to look at: MP4, GIF, and the numbers that are drawn in as JSON."""

from itertools import islice
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamer import logs
from dreamer.video import shown
from jobs import files, mp4

SIDE = 320  # pixels that the shorter side of a picture has at least
LINE, FONT = 16, 12  # pixels of a line of text, and of its letters
STEP_MS = 100
NOTHING = "The agent sees no image, so there is nothing to film."
GIF_STEPS = 150  # a GIF ends after these, below 2 MB in Crafter; the MP4 has all


class Film(NamedTuple):
    """What was seen and done in one episode of T steps; the last action has no effect any more."""

    images: np.ndarray  # uint8 [T, H, W, C]
    actions: np.ndarray  # [T] or [T, A], each chosen after the image was seen
    rewards: np.ndarray  # [T], each came with the image
    values: np.ndarray | None  # [T], the return that the agent expected; None where it has none


def of(rows, image):
    """Film of the steps of an episode [{name: value}] whose pictures are called `image`."""
    names = {"actions": "action", "rewards": "reward"}
    found = {name: np.stack([row[key] for row in rows]) for name, key in names.items()}
    values = np.stack([row["value"] for row in rows]) if "value" in rows[0] else None
    return Film(np.stack([row[image] for row in rows]), **found, values=values)


def frames(film, names=()):
    """Yields pictures uint8 [H', W', 3]: the image enlarged, then step, action, value and return.

    `names` are those of the actions, where they have any. One at a time, as episodes may have
    many thousands of steps.
    """
    total = np.cumsum(film.rewards, dtype=np.float64)
    for step, image in enumerate(shown(film.images)):
        yield _frame(image, _words(film, step, total[step], names))


def gif(path, film, names=()):
    """Write the first GIF_STEPS steps; where `film` is None, a sentence that there is none."""
    drawn = [_sentence(NOTHING)] if film is None else islice(frames(film, names), GIF_STEPS)
    with files.atomic(path) as temporary:
        temporary.write_bytes(logs.gif(drawn, STEP_MS))


def write(folder, name, film, names, about):
    """Write <name>.mp4, .gif and .json (`about`, and all that is drawn in) into `folder`."""
    mp4.write(folder / f"{name}.mp4", frames(film, names), STEP_MS, "--video")
    gif(folder / f"{name}.gif", film, names)
    drawn = {"actions": film.actions.tolist(), "rewards": film.rewards.tolist()}
    drawn["values"] = None if film.values is None else film.values.tolist()
    files.write_json(folder / f"{name}.json", {**about, "action_names": list(names), **drawn})


def _frame(image, lines):
    scale = -(-SIDE // min(image.shape[:2]))
    large = image.repeat(scale, 0).repeat(scale, 1)
    height, width = (side + side % 2 for side in large.shape[:2])  # as H.264 wants them
    picture = Image.new("RGB", (width, height + LINE * len(lines)))
    picture.paste(Image.fromarray(large))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT)
    for place, line in enumerate(lines):
        draw.text((4, height + LINE * place), line, "white", font)
    return np.asarray(picture)


def _sentence(words):
    picture = Image.new("RGB", (2 * SIDE, 3 * LINE), "white")
    place = {"anchor": "mm", "font": ImageFont.load_default(FONT)}
    ImageDraw.Draw(picture).text((SIDE, 1.5 * LINE), words, "black", **place)
    return np.asarray(picture)


def _words(film, step, total, names):
    action = film.actions[step]
    if action.ndim:
        done = " ".join(f"{number:.4g}" for number in action[:4])
    else:
        done = names[int(action)] if names else str(action)
    value = "" if film.values is None else f"value {film.values[step]:.3f}   "
    last = step == len(film.actions) - 1
    return [
        f"step {step}   {'the episode is over' if last else done}",
        f"{value}return {total:.4g}",
    ]
