"""The images of a data set, decoded once into a file from which any of them is read at once.

N is rows of the data set.
"""

import numpy as np

from dreamer import png
from jobs import files
from jobs.errors import Refused

DIGITS = 16  # of the data set's hash in the file's name


def open_images(path, parquet, spaces, work):
    """Images [N, H, W, 3] uint8 of the data set `path`, mapped from a file in the folder `work`.

    Of a data set that changed, the former file is removed.
    """
    shape = (parquet.metadata.num_rows, *dict(spaces.observation)["image"].shape)
    place = work / f"{path.stem}-{files.sha256(path)[:DIGITS]}.npy"
    if not place.is_file():
        _decode(parquet, place, shape)
        for former in work.glob(f"{path.stem}-{'?' * DIGITS}.npy"):
            if former != place:
                former.unlink(missing_ok=True)
    found = np.load(place, mmap_mode="r")
    if found.shape != shape or found.dtype != np.uint8:
        raise Refused(f"{place} is not what was decoded from {path}; remove it")
    return found


def _decode(parquet, place, shape):
    """One episode at a time, in one atomic step."""
    with files.atomic(place) as temporary:
        images = np.lib.format.open_memmap(temporary, "w+", np.uint8, shape)
        row = 0
        for index in range(parquet.num_row_groups):
            for image in parquet.read_row_group(index, ["image"])["image"]:
                images[row] = png.decode(image.as_py())
                row += 1
        images.flush()
