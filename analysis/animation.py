"""Pictures in a row as GIF and MP4 files; equal pictures give equal bytes."""

import io

import imageio_ffmpeg
import numpy as np
from PIL import Image

from jobs import files
from jobs.errors import Refused

LARGEST = 1_000_000  # bytes of a GIF; frames that would exceed them are left out at the end
SHORTER = 0.8
SAMPLED, COLOURS = 12, 64  # frames that choose the colours; more colours weigh more
EXACT = (
    *("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
    *("-map_metadata", "-1", "-f", "mp4"),
)


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


def mp4(path, frames, step_ms):
    """Write pictures as H.264; a machine without ffmpeg is refused."""
    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise Refused(
            "behavior.mp4 is true, but no ffmpeg was found on this machine; install one (or the "
            "package imageio-ffmpeg with its program), or set behavior.mp4 to false"
        ) from None
    with files.atomic(path) as temporary:
        settings = {"fps": 1000 / step_ms, "macro_block_size": 2, "output_params": list(EXACT)}
        writer = imageio_ffmpeg.write_frames(str(temporary), frames[0].size, **settings)
        writer.send(None)
        for frame in frames:
            writer.send(np.asarray(frame).tobytes())
        writer.close()


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
