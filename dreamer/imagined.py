"""Imagined states as the columns of a table of dreams, beside the recorded future of each start.

B is starts dreamt at once, H imagined steps.
"""

import jax
import numpy as np

from dreamer import png, starts
from dreamer import trajectory as contract

BATCH = 16  # starts at once: bounds the memory; equal for all calls, so that each compiles once


def columns(imagine, path, rows, horizon, action, layers, images):
    """{column: values} of a batch: start by start, all h of `policy`, then of `forced`.

    `action` is the Space of actions.
    """
    real = starts.future(path, rows, horizon)
    pictures = ["image"] if images and contract.has(path, "image") else []
    recorded = starts.take(path, [*layers, *pictures], rows)
    belief = {name: _fill(recorded[name].astype(np.float32)) for name in layers}
    done = real["action"][:, :-1].astype(np.int32 if action.classes else np.float32)
    taken = {"policy": None, "forced": _fill(done.reshape(*done.shape[:2], *action.shape))}
    found = []
    for variant, actions in taken.items():
        dreamt = jax.device_get(imagine(belief, actions))
        dreamt = jax.tree.map(lambda values: values[: len(rows)], dreamt)
        found.append(_dream_columns(variant, dreamt, real, recorded, layers))
    return {name: _interleave([columns[name] for columns in found]) for name in found[0]}


def _dream_columns(variant, dreamt, real, recorded, layers):
    """{column: [B, H + 1, ...]} of one variant; what led to h = 0 is not known."""
    actions, states, seen = dreamt
    shape = real["step"].shape
    image = np.full(shape, None)
    if "image" in recorded:
        image[:, 0] = recorded["image"]
    if seen is not None and seen.shape[-1] in (1, 3):
        image[:, 1:] = [[png.encode(picture) for picture in dream] for dream in seen]
    return {
        "variant": np.full(shape, variant),
        "start_episode": np.broadcast_to(real["episode"][:, :1], shape),
        "start_step": np.broadcast_to(real["step"][:, :1], shape),
        "h": np.broadcast_to(np.arange(shape[1]), shape),
        "action": _led(actions),
        "image": image,
        **{name: real[name] for name in ("x", "y") if name in real},
        **{name: np.concatenate([recorded[name][:, None], states[name]], 1) for name in layers},
    }


def _led(actions):
    """Actions [B, H, ...] with null before them, or NaN where one is numbers: [B, H + 1, ...]."""
    count, steps, *several = np.shape(actions)
    if not several:
        return np.concatenate([np.full((count, 1), None), np.asarray(actions, object)], 1)
    flat = np.asarray(actions, np.float32).reshape(count, steps, -1)
    return np.concatenate([np.full_like(flat[:, :1], np.nan), flat], 1)


def _interleave(variants):
    """[B, H + 1, ...] of each variant to [B * variants * (H + 1), ...]."""
    stacked = np.stack(variants, 1)
    return stacked.reshape(-1, *stacked.shape[3:])


def _fill(values):
    """Repeat the last row up to BATCH rows, so that every call has one shape."""
    return np.concatenate([values, np.repeat(values[-1:], BATCH - len(values), 0)])
