"""Clips of a world model: truth, reconstruction and what it foresees, as strips and as a GIF."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analysis import animation, style

PLT = style.plt
SHOWN = (1, 2, 4, 8, 16)  # foreseen frames in a strip, beside the first and the last seen one
STRIPS, FILMS = 3, 4  # clips in the figure and in the GIF
SEEN, MADE = style.BLUE, style.ORANGE  # borders
LEFT, TOP, GAP, EDGE, WORDS = 8, 26, 10, 4, 30  # pixels
LEAST = 96  # pixels of a cell's side


def films(table):
    """[{row: [{step, action, reward, go_on, image [h, w, 3]}]}] of the clips in their order."""
    found = []
    for _, clip in table.groupby("clip", sort=True):
        rows = {
            name: [{**item, "image": _decode(item["image"])} for item in part.to_dict("records")]
            for name, part in clip.groupby("row", sort=False)
        }
        found.append(rows)
    return found


def strips(clips, svg):
    """A block of rows per clip: its first frame, the last one seen, and some foreseen ones."""
    shown = clips[:STRIPS]
    steps = [item["step"] for item in shown[0]["truth"]]
    picked = [steps[0], 0, *[step for step in SHOWN if step <= steps[-1]]]
    picked = list(dict.fromkeys(picked))
    lines = [(clip, name) for clip in shown for name in clip]
    size = (1.0 * len(picked) + 1.7, 1.02 * len(lines) + 0.5)
    figure, axes = PLT.subplots(len(lines), len(picked), figsize=size, squeeze=False)
    for line, (clip, name) in zip(axes, lines, strict=True):
        for axis, step in zip(line, picked, strict=True):
            axis.imshow(clip[name][steps.index(step)]["image"], interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(visible=True, color=_edge(name, step), linewidth=2.5)
        line[0].set_ylabel(name.replace(" ", "\n"), rotation=0, ha="right", va="center", fontsize=8)
    for axis, step in zip(axes[0], picked, strict=True):
        axis.set_title(f"{step:+d}" if step > 0 else "last seen" if step == 0 else "first",
                       fontsize=9)  # fmt: skip
    style.save(figure, svg)


def video(clips, actions, path, step_ms):
    """A GIF: one line per clip, a column per row of it, the action and what is expected below."""
    shown = clips[:FILMS]
    height, width = shown[0]["truth"][0]["image"].shape[:2]
    side = (height * (scale := -(-LEAST // height)), width * scale)
    frames = [_frame(shown, actions, index, side) for index in range(len(shown[0]["truth"]))]
    colours = [_rgb(colour) for colour in (SEEN, MADE, "#ffffff", "#000000")]
    animation.gif(path, frames, step_ms, colours)


def _frame(clips, actions, index, side):
    """All clips at one step."""
    high, wide = side[0] + 2 * EDGE + WORDS, side[1] + 2 * EDGE + GAP
    names = list(clips[0])
    size = (LEFT + wide * len(names), TOP + high * len(clips))
    frame = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(frame)
    for column, name in enumerate(names):
        left = LEFT + wide * column
        pen.text((left + wide / 2 - GAP / 2, TOP / 2), name, "black", _font(11), "mm")
        for line, clip in enumerate(clips):
            item, top = clip[name][index], TOP + high * line
            edge = (left, top, left + side[1] + 2 * EDGE - 1, top + side[0] + 2 * EDGE - 1)
            pen.rectangle(edge, _edge(name, item["step"]))
            image = Image.fromarray(item["image"]).resize(side[::-1], Image.Resampling.NEAREST)
            frame.paste(image, (left + EDGE, top + EDGE))
            words = (left, top + side[0] + 2 * EDGE + 1)
            pen.multiline_text(words, _words(item, actions), "black", _font(10), spacing=1)
    return frame


def _words(item, actions):
    """The action that led here, and on imagined frames what the heads expect."""
    action = item["action"]
    if action is not None and action == action and str(action).isdigit() and actions:
        action = actions[int(action)].replace("_", " ")
    first = f"{item['step']:+d}  {action if action and action == action else '–'}"
    if item["reward"] is None or item["reward"] != item["reward"]:
        return first
    return f"{first}\nr {item['reward']:.2f}  c {item['go_on']:.2f}"


def _edge(name, step):
    return SEEN if step <= 0 or name in ("truth", "reconstruction") else MADE


def _rgb(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _decode(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def _font(size):
    return ImageFont.load_default(size)
