"""Images as PNG bytes, the form in which recordings and dreams keep them."""

import io

import numpy as np
from PIL import Image


def encode(image):
    """PNG bytes of uint8 [H, W, 3]; fast compression, equal images give equal bytes."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png", compress_level=1)
    return stream.getvalue()


def decode(data):
    """The uint8 image [H, W, 3] in PNG bytes."""
    return np.asarray(Image.open(io.BytesIO(data)))
