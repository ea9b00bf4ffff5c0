"""Dream beside reality as a moving picture: one frame per imagined step."""

import textwrap

from PIL import Image, ImageDraw, ImageFont

from analysis import style
from jobs import files

CELL, GAP, LEFT, TOP, BELOW = 128, 6, 76, 24, 24  # pixels
LAST = 4  # pauses at the end, so that the eye sees where the loop begins
COLOURS = 256


def draw(strips, path, step_ms):
    """Write strips of images (dream_images) as GIF: a row per start, real beside both dreams."""
    heads = [label.replace("\n", " ") for label, _ in strips[0]["rows"]]
    frames = [_frame(strips, heads, index) for index in range(len(strips[0]["h"]))]
    save(frames, path, [step_ms] * (len(frames) - 1) + [LAST * step_ms])


def sentence(path, text):
    """A GIF that says in words why there is nothing to show."""
    frame = Image.new("RGB", (620, 80), "white")
    place = {"anchor": "mm", "align": "center", "font": _font(14)}
    ImageDraw.Draw(frame).multiline_text((310, 40), textwrap.fill(text, 80), style.GREY, **place)
    save([frame], path, 1000)


def save(frames, path, pauses):
    """Frames as a GIF without end, in colours that all share; equal bytes for equal frames."""
    width, height = frames[0].size
    every = Image.new("RGB", (width, height * len(frames)))
    for index, frame in enumerate(frames):
        every.paste(frame, (0, height * index))
    palette = every.quantize(COLOURS, Image.Quantize.FASTOCTREE)  # keeps colours that are rare
    first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    settings = {"append_images": rest, "duration": pauses, "loop": 0}
    with files.atomic(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, **settings)


def _frame(strips, heads, index):
    """All starts at one imagined step."""
    side = CELL + GAP
    size = (LEFT + side * len(heads), TOP + side * len(strips) + BELOW)
    frame = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(frame)
    for column, head in enumerate(heads):
        pen.text((LEFT + side * column + CELL / 2, TOP / 2), head, "black", _font(12), "mm")
    for line, strip in enumerate(strips):
        top = TOP + side * line
        pen.multiline_text((4, top + CELL / 2), strip["name"], "black", _font(12), "lm")
        for column, (_, images) in enumerate(strip["rows"]):
            frame.paste(_cell(images[index]), (LEFT + side * column, top))
    words = f"h = {strips[0]['h'][index]} imagined steps"
    pen.text((LEFT, size[1] - BELOW / 2), words, "black", _font(12), "lm")
    return frame


def _cell(image):
    """An image [h, w, 3] in the size of a cell, or grey where it was not kept."""
    if image is None:
        return Image.new("RGB", (CELL, CELL), "#dddddd")
    return Image.fromarray(image).convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)


def _font(size):
    return ImageFont.load_default(size)
