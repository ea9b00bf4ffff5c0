"""Pictures in a row as an MP4 file; equal pictures give equal bytes."""

import warnings
from itertools import chain

import imageio_ffmpeg
import numpy as np

from jobs import files
from jobs.errors import Refused

EXACT = (
    *("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
    *("-map_metadata", "-1", "-f", "mp4"),
)


def write(path, frames, step_ms, wish):
    """Write pictures (PIL or uint8 [H, W, 3], even sides) as H.264; `wish` says who asked for it.

    They may come one at a time. A machine without ffmpeg is refused.
    """
    check(wish)
    frames = iter(frames)
    first = next(frames)
    height, width = np.asarray(first).shape[:2]
    with files.atomic(path) as temporary, warnings.catch_warnings():
        # JAX warns of every fork; this one only starts another program.
        warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
        settings = {"fps": 1000 / step_ms, "macro_block_size": 2, "output_params": list(EXACT)}
        writer = imageio_ffmpeg.write_frames(str(temporary), (width, height), **settings)
        writer.send(None)
        for frame in chain([first], frames):
            writer.send(np.ascontiguousarray(frame).tobytes())
        writer.close()


def check(wish):
    """Refuse where there is no ffmpeg."""
    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise Refused(
            f"{wish} asks for MP4, but no ffmpeg was found on this machine; install one (or the "
            "package imageio-ffmpeg with its program), or leave that out"
        ) from None
