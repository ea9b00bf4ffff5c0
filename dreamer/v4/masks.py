"""Who may look at whom: boolean masks [query, key], True where the key is seen."""

import jax.numpy as jnp
import numpy as np


def encoder(patches, latents):
    """[S, S] of a frame of patches, then latents: patches see patches, latents see everything."""
    return _one_way(patches, latents)


def decoder(latents, patches):
    """[S, S] of a frame of latents, then readouts: latents see latents, readouts everything."""
    return _one_way(latents, patches)


def space(slots, agent):
    """[S, S] of a frame of the dynamics: all see all, but only the agent's slots see the agent."""
    return _one_way(sum(slots) - slots.agent, slots.agent if agent else 0)


def time(length, window, segment=None, image_row=None):
    """[B or 1, T, T]: frame i sees j <= i with i - j < window, of its own segment [B, T] only.

    In the rows where image_row [B], every frame sees only itself.
    """
    age = np.arange(length)[:, None] - np.arange(length)
    seen = jnp.asarray((age >= 0) & (age < window))[None]
    if segment is not None:
        seen = seen & (segment[:, :, None] == segment[:, None, :])
    if image_row is not None:
        seen = seen & (~image_row[:, None, None] | jnp.eye(length, dtype=bool))
    return seen


def _one_way(first, second):
    """The second group sees everything, the first one only itself."""
    late = np.arange(first + second) >= first
    return jnp.asarray(late[:, None] | ~late)
