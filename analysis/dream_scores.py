"""The numbers of dream decoding, each beside chance and beside the same for real states.

In the shapes, N is starts, H imagined steps; guesses are [N, H + 1, 2] in tiles.
"""

import numpy as np

from analysis import coherence, errors
from analysis.rows import row

FOREIGN = "futures of starts in other episodes"
SHUFFLED = "other starts' futures"
PAIRED = "decoded steps paired with any action"
AREA = "walkable share of the world"
BASELINE = "none: a baseline itself"
VISITED = "none: this decoder can only name visited tiles"


def by_horizon(guess, entropy, position, episode):
    """{measure: [H + 1]} against the real future, and against those of other starts.

    `frozen` is the error of the guess at h = 0 kept for all h; episode [N] is that of each start.
    """
    others, chance_name = _others(episode)
    error = errors.euclidean(guess, position)
    known = np.isfinite(entropy).all()
    return {
        "mean": error.mean(0),
        "median": np.median(error, axis=0),
        "frozen": errors.euclidean(guess[:, :1], position).mean(0),
        "shuffled": shuffled(guess, position, others),
        "shuffled_name": chance_name,
        "entropy": entropy.mean(0) if known else None,
    }


def shuffled(guess, position, others):
    """Mean error [H + 1] of each sequence against the futures that others [N, N] names for it.

    Each start counts alike; NaN where there is no other.
    """
    if not others.any():
        return np.full(guess.shape[1], np.nan)
    every = errors.euclidean(guess[:, None], position[None])  # [N, N, H + 1]
    return every.mean(1, where=others[..., None]).mean(0)


def _others(episode):
    """Which starts [N, N] are strangers to each, and their name.

    Starts of one episode lie near each other, so they count only if there is no other episode.
    """
    foreign = episode[:, None] != episode[None]
    if foreign.any():
        return foreign, FOREIGN
    return ~np.eye(len(episode), dtype=bool), SHUFFLED


def beats_frozen(found):
    """(dreams better at the last h than their frozen start, all dreams) from their facts."""
    better = [facts["mean"][-1] < facts["frozen"][-1] for facts in found]
    return sum(better), len(better)


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
            *(score for step in _told(last) for score in _error(facts, step)),
            *_coherence(facts, walkable, jump, method),
        ]
        if facts["entropy"] is not None:
            bits = facts["entropy"][last]
            scores.append((f"entropy at h = {last}", bits, "bits", "low"))
        made += [row(*score, layer=name, representation=f"{method}, {variant}") for score in scores]
    label = "mean Euclidean error on all recorded states (floor)"
    made.append(
        row(label, floor, "tiles", "low", layer=name, representation=f"{method}, real states")
    )
    return made


def standing(position):
    """Table rows of the error that comes from standing still where the dream began."""
    moved = displacement(position)
    return [
        row(f"mean real displacement at h = {step}", moved[step], "tiles", "low")
        for step in _told(len(moved) - 1)
        if step
    ]


def _told(last):
    """The imagined steps whose errors stand in the table."""
    return sorted({0, min(1, last), min(5, last), last})


def _coherence(facts, walkable, jump, method):
    ground = ("share of steps", "high", *_ground_chance(walkable, method))
    agree = ("share of moves", "high", facts["agreement_chance"], PAIRED)
    return [
        (f"jumps > {jump:g} tiles", facts["jumps"], "share of steps", "low"),
        ("decoded on walkable tiles", facts["walkable"], *ground),
        ("agreement with move action", facts["agreement"], *agree),
    ]


def _ground_chance(walkable, method):
    """Visited tiles are nearly all walkable, so the classifier would beat the world's share."""
    if walkable is None:
        return None, None
    return (None, VISITED) if method == "robust" else (walkable.mean(), AREA)


def _error(facts, step):
    """The error at a step and, beside it after h = 0, that of the frozen start."""
    label, unit = f"mean Euclidean error at h = {step}", ("tiles", "low")
    scores = [(label, facts["mean"][step], *unit, facts["shuffled"][step], facts["shuffled_name"])]
    if step:
        label = f"error of the frozen start at h = {step}"
        scores.append((label, facts["frozen"][step], *unit, None, BASELINE))
    return scores
