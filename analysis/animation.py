"""Pictures in a row as GIF files; equal pictures give equal bytes."""

import io

import numpy as np
from PIL import Image

from jobs import files

LARGEST = 1_000_000  # bytes of a GIF; frames that would exceed them are left out at the end
SHORTER = 0.8
SAMPLED, COLOURS = 12, 64  # frames that choose the colours; more colours weigh more


def gif(path, frames, step_ms, kept):
    """Write pictures as a GIF that repeats; returns how many of them fit under LARGEST bytes.

    `kept` are colours (RGB) that stay what they are but for a shade, however rare.
    """
    palette = _palette(frames, kept)
    plain = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    data = _gif(plain, step_ms)
    while len(data) > LARGEST and len(plain) > 1:
        plain = plain[: int(SHORTER * len(plain))]
        data = _gif(plain, step_ms)
    with files.atomic(path) as temporary:
        temporary.write_bytes(data)
    return len(plain)


def _palette(frames, kept):
    """A picture with `kept` and COLOURS that suit all frames."""
    chosen = [frames[index] for index in np.linspace(0, len(frames) - 1, SAMPLED).astype(int)]
    pixels = np.concatenate([np.asarray(frame) for frame in chosen])
    colours = Image.fromarray(pixels).quantize(COLOURS).getpalette()
    found = Image.new("P", (1, 1))
    found.putpalette([*np.ravel(kept).tolist(), *colours])
    return found


def _gif(plain, step_ms):
    stream = io.BytesIO()
    settings = {"save_all": True, "append_images": plain[1:], "duration": step_ms, "loop": 0}
    plain[0].save(stream, "gif", **settings, optimize=False)
    return stream.getvalue()
