"""The belief of DreamerV4 as flat vectors: what a recording keeps and imagination goes on from.

In the shapes, B is batch, C the last frames that are kept, H imagined steps, A numbers of an action
(one-hot for categories), S spatial tokens of D channels.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.v4.imagination import Frame

LAYERS = {"agent/h": "float32", "dyn/z": "float32", "dyn/memory": "float16"}


def widths(config):
    """{belief layer: width}."""
    latent = config.slots.spatial * config.packed
    memory = config.imag.context * (latent + _actions(config) + 2)
    return {"agent/h": config.dyn.width, "dyn/z": latent, "dyn/memory": memory}


def flat(config, frames):
    """[B, units] of a Frame of arrays [B, C, ...]; actions as one-hot vectors or numbers."""
    action = frames.action
    if config.action.classes:
        action = jax.nn.one_hot(action, config.action.classes)
    parts = (frames.z, action, frames.known, frames.valid)
    return jnp.concatenate([part.reshape(len(part), -1).astype(jnp.float32) for part in parts], 1)


def unflat(config, flat):
    """The inverse of `flat`."""
    count, actions = config.imag.context, _actions(config)
    sizes = np.array([config.slots.spatial * config.packed, actions, 1, 1]) * count
    z, action, known, valid = jnp.split(flat, np.cumsum(sizes)[:-1], 1)
    z = z.reshape(len(flat), count, config.slots.spatial, config.packed)
    action = action.reshape(len(flat), count, actions)
    if config.action.classes:
        action = jnp.argmax(action, -1).astype(jnp.int32)
    return Frame(z, action, known > 0.5, valid > 0.5)


def push(frames, frame, first):
    """The last C frames after one more; those of an episode that is over are no longer valid."""
    frames = frames._replace(valid=frames.valid & ~first[:, None])
    return jax.tree.map(lambda old, new: jnp.concatenate([old[:, 1:], new[:, None]], 1), frames,
                        frame)  # fmt: skip


def windows(config, frames, later):
    """[B, H, units] of the last C frames after each of `later` [B, H, ...], which follow `frames`
    [B, C, ...]."""
    steps = later.known.shape[1]
    index = np.arange(1, steps + 1)[:, None] + np.arange(config.imag.context)

    def ending(before, after):
        whole = jnp.concatenate([before, after], 1)[:, index]
        return whole.reshape(-1, *whole.shape[2:])

    found = flat(config, jax.tree.map(ending, frames, later))
    return found.reshape(-1, steps, found.shape[-1])


def _actions(config):
    return config.action.classes or int(np.prod(config.action.shape))
