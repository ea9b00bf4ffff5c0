"""What a decoder says of dreams, and of the real states beside them.

In the shapes, N is starts, H imagined steps (h = 0 is the recorded state), K tiles of a decoder.
"""

from typing import NamedTuple

import numpy as np

from analysis import decoders, dream_reading, errors, recording, sources
from dreamer import trajectory as contract

REAL = "real states"


class Told(NamedTuple):
    """What a decoder says of one kind of sequence, each beside the real future of its start."""

    point: np.ndarray  # [N, H + 1, 2]
    p: np.ndarray  # [N, H + 1] of the true tile; NaN where the decoder has no probabilities
    entropy: np.ndarray  # [N, H + 1] in bits, or NaN
    action: np.ndarray  # [N, H + 1] that led to the state, NaN at h = 0
    guess: decoders.Guess  # of every row of the file that the sequences are taken from
    rows: np.ndarray  # [N, H + 1] where in that file they stand


def usable(every, path, known, methods):
    """({(representation, method): Decoder}, names whose activity is not finite).

    Of decoders that need nothing but belief layers.
    """
    belief, usable, bad = set(contract.layers(path, "dreams")), {}, []
    for name, found in every.items():
        layers = next(iter(found.values())).layers
        if not belief >= set(layers):
            continue
        sides = ((known.path, layers), (path, layers, "dreams"))
        if sources.finite(*(recording.activity(*side) for side in sides)):
            usable |= {(name, method): found[method] for method in found if method in methods}
        else:
            bad.append(name)
    return usable, bad


def lacking(usable, path, known, methods):
    """Why no dream can be decoded, or None."""
    header = contract.header(path, "dreams")
    if "note" in header:
        return header["note"]
    if not len(known.position):
        return "The recording has no positions to compare dreams with."
    if not usable:
        return (
            f"Position decoding fitted no decoder of {', '.join(header['layers'])} (methods: "
            f"{', '.join(methods)}) that could be applied to finite activity, so dreams were not "
            "read."
        )
    return None


def tell(decoder, path, found, known):
    """{variant: Told}, real states among them, and the mean error on all recorded states."""
    awake = decoders.apply(decoder, recording.activity(known.path, decoder.layers))
    dreamt = decoders.apply(decoder, recording.activity(path, decoder.layers, "dreams"))
    told = {
        variant: _told(dreamt, rows, found.position, found.action[variant])
        for variant, rows in found.order.items()
    }
    told[REAL] = _told(awake, found.real, found.position, _real_actions(known, found))
    return told, float(errors.euclidean(awake.point, known.position).mean())


def _told(guess, rows, position, action):
    """A Guess at rows [N, H + 1] beside position [N, H + 1, 2]."""
    if guess.probabilities is None:
        blank = np.full(rows.shape, np.nan)
        return Told(guess.point[rows], blank, blank, action, guess, rows)
    flat = guess.probabilities[rows.ravel()]
    own = errors.own(flat, errors.columns(guess.tiles, position.reshape(-1, 2)))
    entropy = errors.entropy(flat).reshape(rows.shape)
    return Told(guess.point[rows], own.reshape(rows.shape), entropy, action, guess, rows)


def _real_actions(known, found):
    """The action that led to each real state, [N, H + 1]; NaN at the start."""
    done = contract.read(known.path, ["action"])["action"].astype(float)
    action = np.full(found.real.shape, np.nan)
    action[:, 1:] = dream_reading.single(done[found.real[:, :-1]])
    return action
