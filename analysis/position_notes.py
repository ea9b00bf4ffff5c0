"""What a reader must know before believing a number of position decoding."""

import numpy as np

from dreamer import trajectory

ERROR = "mean Euclidean error"
LEAKY = (
    "Leaky: single steps were shuffled between training and test, so each tested step has near "
    "copies among the training steps; these numbers reproduce published ones and say nothing about "
    "new episodes."
)
ONE_SPAWN = (
    "Every episode starts on the same tile, so time since reset alone tells much of where the "
    "agent is; compare with the clock and with the whole-episode swaps, which keep that."
)


def sentences(plan, found, beside, rows, options):
    """Notes on {representation: result or None}, the controls `beside`, and the summary rows."""
    bad = [name for name, item in found.items() if not item]
    told = [f"{name} holds values that are not finite; it was not decoded." for name in bad]
    if not trajectory.has(plan.train.path, "x", "y"):
        return ["The recording has no positions, so there is nothing to decode."]
    if not len(plan.rows):
        return [f"No episode visits a box of {options['min_bbox']} tiles²; nothing was decoded."]
    missing = [name for name in options["layers"] if name not in found]
    told += [f"{name} is not in the recording; it was not decoded." for name in missing]
    details = [item[2] for item in found.values() if item]
    return [
        *told,
        *_split(plan),
        *_nulls(details, options),
        *_fits(details, options),
        *_beaten(rows, beside),
    ]


def unseen(share):
    """A sentence where test steps lie on tiles that training never saw."""
    if not share:
        return []
    return [
        f"{share:.0%} of the tested steps lie on tiles that no training episode visited: a "
        "classifier cannot name those, and each costs it the floor of the cross-entropy."
    ]


def _split(plan):
    told = [LEAKY] if plan.leaky else []
    if not plan.folds:
        told.append("There are not two episodes to hold apart, so nothing could be tested.")
    elif not plan.test.walkable:
        told.append("No terrain was recorded, so path lengths are left out.")
    starts = plan.train.position[plan.train.step == 0]
    if len(starts) > 1 and len(np.unique(starts, axis=0)) == 1:
        told.append(ONE_SPAWN)
    return told


def _nulls(details, options):
    every = [null for item in details for null in item["nulls"].values()]
    draws = max((len(null["swaps"]["null"]) for null in every if "swaps" in null), default=0)
    if not draws:
        return ["Whole-episode swaps: none; they need n_null above 0 and at least ten episodes."]
    methods = sorted({method for item in details for method in item["nulls"]})
    told = [
        f"Whole-episode swaps: {draws}, with {' and '.join(methods)} re-trained on each, on one "
        "outer split of the training recording and at the strength found without a swap; the "
        f"smallest p that so many can give is {1 / (1 + draws):.2g}."
    ]
    if options["n_shift"]:
        told.append(
            f"Circular shifts of the labels within episodes: {options['n_shift']}. They are not "
            "calibrated: slow activity beats them without knowing any place."
        )
    return told


def _fits(details, options):
    """How the fits ended: before their tolerance, or at the edge of the strengths offered."""
    fits = [fit for item in details for fold in item["folds"] for fit in fold.items()]
    told = []
    if not all(fit["solved"] for _, fit in fits):
        told.append("Some classifiers stopped before their tolerance (`details`, `folds`).")
    for method in ("ridge", "robust"):
        grid = options[f"{method}_strengths"]
        own = [fit["strength"] for name, fit in fits if name == method]
        weakest = sum(strength == min(grid) for strength in own)
        if own and len(grid) > 1 and weakest > len(own) / 2:
            told.append(
                f"{weakest} of {len(own)} fits of {method} took the weakest strength that was "
                f"offered; add weaker ones to position.{method}_strengths."
            )
    return told


def _beaten(rows, beside):
    """Which layers tell no more than each control, by the mean error of each method."""
    own = [row for row in rows if row["score"] == ERROR]
    told = []
    for control in [row for row in own if row["layer"] in beside]:
        same = [row for row in own if row["representation"] == control["representation"]]
        worse = [
            row["layer"]
            for row in same
            if row["layer"] not in beside and not row["value"] < control["value"]
        ]
        if worse:
            told.append(
                f"By {control['representation']}, no better than {control['layer']} "
                f"({control['value']:.2f} tiles): {', '.join(worse)}."
            )
    untrained = [
        f"{row['layer']} ({row['representation']})"
        for row in own
        if row["control"] is not None and not row["value"] < row["control"]
    ]
    if untrained:
        told.append(f"No better than the untrained network: {', '.join(untrained)}.")
    return told
