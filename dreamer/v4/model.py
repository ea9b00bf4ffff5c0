"""The world model's loss on rows of a batch, as both phases that train it compute it."""

from dreamer.v4 import latents, shortcut
from dreamer.v4.phases import pair


def loss(values, config, rows, fade, agent=False):
    """{"loss", metrics: [total, weight]} of the dynamics, and the state h [B, T, d] if `agent`.

    rows {z, led, known, valid, image_row, key} of `batches`; `fade` weighs the bootstrap.
    """
    z = latents.pack(values, config, rows["z"])
    moved = rows["led"], rows["known"], rows["image_row"], rows["valid"], rows["key"]
    total, told, h = shortcut.loss(values, config, z, *moved, fade, agent=agent)
    frames = told.pop("frames")
    return told | {"loss": pair(total, frames)}, h
