"""Fitted decoders of position: what they say about any activity, and one file that keeps them.

Methods: `ridge` (analysis/ridge.py) gives a point, `robust` (analysis/robust.py) a probability for
every tile visited in training; analysis/fitting.py fits them.
In the shapes, T is steps, D units, K classes.
"""

import json
from typing import NamedTuple

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save as to_bytes

from analysis import robust
from jobs import files
from jobs.errors import Refused

VERSION = 1


class Decoder(NamedTuple):
    """A fitted decoder of one representation: `layers` side by side, standardised."""

    method: str
    layers: tuple
    strength: float
    solved: bool  # whether the solver reached its tolerance
    mean: np.ndarray  # [D]
    scale: np.ndarray  # [D]
    weights: np.ndarray  # [D, 2] or [D, K]
    bias: np.ndarray  # [2] or [K]
    tiles: np.ndarray  # [K, 2]; empty for ridge


class Guess(NamedTuple):
    """What a decoder says: a point per step, and probabilities of its tiles if it has any."""

    point: np.ndarray  # [T, 2]
    probabilities: np.ndarray | None  # [T, K]
    tiles: np.ndarray  # [K, 2]


def apply(decoder, activity):
    """Guess from activity [T, D], without any training."""
    if activity.shape[1] != len(decoder.mean):
        raise Refused(
            f"a decoder of {' + '.join(decoder.layers)} takes {len(decoder.mean)} units, "
            f"but the file has {activity.shape[1]}; train it on a recording of the same agent"
        )
    logits = ((activity - decoder.mean) / decoder.scale) @ decoder.weights + decoder.bias
    if decoder.method == "ridge":
        return Guess(logits.astype(np.float64), None, decoder.tiles)
    probabilities = robust.softmax(logits)[0]
    return Guess(decoder.tiles[probabilities.argmax(1)], probabilities, decoder.tiles)


def save(path, decoders, manifest):
    """Write {representation: {method: Decoder}} as one safetensors file.

    The header holds `manifest` (hash of the training data, area, ...) and a line per decoder.
    """
    tensors, entries = {}, {}
    for representation, methods in decoders.items():
        for method, decoder in methods.items():
            name = f"{representation}|{method}"
            parts = {key: getattr(decoder, key) for key in ("mean", "scale", "weights", "bias")}
            parts["tiles"] = decoder.tiles.astype(np.int32)
            tensors |= {f"{name}|{key}": np.ascontiguousarray(parts[key]) for key in parts}
            entries[name] = {
                "layers": list(decoder.layers),
                "strength": decoder.strength,
                "solved": decoder.solved,
                "units": len(decoder.mean),
                "tiles": len(decoder.tiles),
            }
    header = {"kind": "decoders", "version": VERSION, "decoders": entries, **manifest}
    with files.atomic(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {"dream_atlas": files.canonical(header)}))


def load(path):
    """(header, {representation: {method: Decoder}}) of a file that `save` wrote; else refuse."""
    header, tensors = _open(path)
    found = {}
    for name, entry in header["decoders"].items():
        representation, method = name.split("|")
        parts = [tensors[f"{name}|{key}"] for key in ("mean", "scale", "weights", "bias", "tiles")]
        settings = (tuple(entry["layers"]), entry["strength"], entry["solved"])
        found.setdefault(representation, {})[method] = Decoder(method, *settings, *parts)
    return header, found


def _open(path):
    try:
        with safe_open(path, "numpy") as file:
            header = json.loads((file.metadata() or {}).get("dream_atlas", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise Refused(f"{path} does not exist; run position decoding first") from None
    except Exception as error:  # safetensors raises a class of its own for each kind of damage
        raise Refused(f"{path} is cut off or not a safetensors file ({error})") from None
    if header.get("kind") != "decoders" or header.get("version") != VERSION:
        raise Refused(f"{path} holds no decoders of version {VERSION}; run position decoding again")
    return header, tensors
