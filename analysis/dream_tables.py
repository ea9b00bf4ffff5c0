"""The tables of dream decoding: every decoded step, and whole maps of probability for a few starts.

In the shapes, N is starts, H imagined steps, E example starts, S shown steps, K tiles of a decoder.
"""

import numpy as np

from analysis import errors

KEYS = ("representation", "method", "variant", "start_episode", "start_step", "h")
STEPS = (*KEYS, "action", "true_x", "true_y", "x", "y", "p", "entropy", "error")
MAPS = (*KEYS, "x", "y", "p")
FAINT = 0.01  # of a map's largest probability; tiles below are left out of the table


def shown(last):
    """The imagined steps of which maps are kept: 0, 1, 2, 4, 8, ... and the last."""
    doubled = 2 ** np.arange(max(last, 1).bit_length())
    return np.unique([0, *doubled[doubled <= last], last])


def steps(name, method, variant, told, found, known):
    """{column: [N * (H + 1)]} of one decoder and variant."""
    shape, start = found.real.shape, found.real[:, :1]
    flat = {
        "representation": np.full(shape, name),
        "method": np.full(shape, method),
        "variant": np.full(shape, variant),
        "start_episode": np.broadcast_to(known.episode[start], shape),
        "start_step": np.broadcast_to(known.step[start], shape),
        "h": np.broadcast_to(np.arange(shape[1]), shape),
        "action": told.action,
        "true_x": found.position[..., 0],
        "true_y": found.position[..., 1],
        "x": told.point[..., 0].astype(float),
        "y": told.point[..., 1].astype(float),
        "p": told.p,
        "entropy": told.entropy,
        "error": errors.euclidean(told.point, found.position),
    }
    return {column: values.reshape(-1) for column, values in flat.items()}


def maps(name, method, variant, told, found, known, examples):
    """{column: values} with a row per tile that is not faint, for the starts `examples` [E].

    None where the decoder has no probabilities.
    """
    if told.guess.probabilities is None or not len(examples):
        return None
    at = shown(told.rows.shape[1] - 1)
    maps = told.guess.probabilities[told.rows[examples][:, at]]  # [E, S, K]
    start, column, tile = np.nonzero(maps >= FAINT * maps.max(-1, keepdims=True))
    first, size = found.real[examples, 0][start], len(start)
    return {
        "representation": np.full(size, name),
        "method": np.full(size, method),
        "variant": np.full(size, variant),
        "start_episode": known.episode[first],
        "start_step": known.step[first],
        "h": at[column],
        "x": told.guess.tiles[tile, 0],
        "y": told.guess.tiles[tile, 1],
        "p": maps[start, column, tile].astype(np.float32),
    }


def joined(columns, parts):
    """One {column: values} from several; without any, empty columns."""
    if not parts:
        return dict.fromkeys(columns, np.zeros(0))
    return {column: np.concatenate([part[column] for part in parts]) for column in columns}
