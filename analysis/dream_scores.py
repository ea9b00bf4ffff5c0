"""The numbers of dream decoding, each beside chance and beside the same for real states.

In the shapes, N is starts, H imagined steps; guesses are [N, H + 1, 2] in tiles.
"""

import numpy as np

from analysis import coherence, errors

SHUFFLED = "other starts' futures"
PAIRED = "decoded steps paired with any action"
AREA = "walkable share of the world"


def by_horizon(guess, entropy, position):
    """{measure: [H + 1]} against the real future, and against those of all other starts."""
    error = errors.euclidean(guess, position)
    known = np.isfinite(entropy).all()
    return {
        "mean": error.mean(0),
        "median": np.median(error, axis=0),
        "shuffled": shuffled(guess, position),
        "entropy": entropy.mean(0) if known else None,
    }


def shuffled(guess, position):
    """Mean error [H + 1] of each sequence against the future of every other start; NaN for one."""
    count = len(guess)
    if count < 2:
        return np.full(guess.shape[1], np.nan)
    every = errors.euclidean(guess[:, None], position[None])  # [N, N, H + 1]
    own = np.einsum("nnh->h", every)
    return (every.sum((0, 1)) - own) / (count * (count - 1))


def displacement(position):
    """Mean distance [H + 1] of the real agent from its start: the error of standing still."""
    return errors.euclidean(position, position[:, :1]).mean(0)


def spatial(guess, action, names, walkable, jump):
    """Coherence of decoded sequences: step lengths, jumps, ground, agreement with the action."""
    lengths = coherence.step_lengths(guess)
    agree, chance = coherence.agreement(guess, action, names)
    return {
        "step_lengths": coherence.histogram(lengths),
        "jumps": (lengths > jump).mean() if lengths.size else None,
        "walkable": None if walkable is None else coherence.on_ground(guess, walkable),
        "agreement": agree,
        "agreement_chance": chance,
    }


def rows(name, method, found, floor, walkable, jump):
    """Table rows of one decoder from {variant: by_horizon and spatial}."""
    made = []
    for variant, facts in found.items():
        last = len(facts["mean"]) - 1
        scores = [
            *(_error(facts, step) for step in _told(last)),
            *_coherence(facts, walkable, jump),
        ]
        if facts["entropy"] is not None:
            bits = facts["entropy"][last]
            scores.append((f"entropy at h = {last}", bits, "bits", "low"))
        made += [_row(name, f"{method}, {variant}", *score) for score in scores]
    label = "mean Euclidean error on all recorded states (floor)"
    made.append(_row(name, f"{method}, real states", label, floor, "tiles", "low"))
    return made


def standing(position):
    """Table rows of the error that comes from standing still where the dream began."""
    moved = displacement(position)
    return [
        _row(None, None, f"mean real displacement at h = {step}", moved[step], "tiles", "low")
        for step in _told(len(moved) - 1)
        if step
    ]


def _told(last):
    """The imagined steps whose errors stand in the table."""
    return sorted({0, min(1, last), min(5, last), last})


def _coherence(facts, walkable, jump):
    share = None if walkable is None else walkable.mean()
    ground = ("share of steps", "high", share, None if share is None else AREA)
    agree = ("share of moves", "high", facts["agreement_chance"], PAIRED)
    return [
        (f"jumps > {jump:g} tiles", facts["jumps"], "share of steps", "low"),
        ("decoded on walkable tiles", facts["walkable"], *ground),
        ("agreement with move action", facts["agreement"], *agree),
    ]


def _error(facts, step):
    label = f"mean Euclidean error at h = {step}"
    return label, facts["mean"][step], "tiles", "low", facts["shuffled"][step], SHUFFLED


def _row(name, kind, score, value, unit, better, chance=None, chance_name=None):
    return {
        "score": score,
        "layer": name,
        "representation": kind,
        "value": value,
        "unit": unit,
        "better": better,
        "chance": chance,
        "chance_name": chance_name,
        "control": None,
    }
