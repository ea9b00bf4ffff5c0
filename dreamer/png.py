"""Images as PNG bytes, the form in which recordings and dreams keep them."""

import io

import numpy as np
from PIL import Image


def encode(image):
    """PNG bytes of uint8 [H, W, 3 or 1]; fast compression, equal images give equal bytes."""
    stream = io.BytesIO()
    image = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(image).save(stream, "png", compress_level=1)
    return stream.getvalue()


def decode(data):
    """The uint8 image [H, W, 3 or 1] in PNG bytes."""
    image = np.asarray(Image.open(io.BytesIO(data)))
    return image if image.ndim == 3 else image[..., None]
