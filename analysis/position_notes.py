"""What a reader must know before believing a number of position decoding."""

import numpy as np

from analysis import recording
from analysis.rows import beats
from dreamer import trajectory

ERROR = "mean Euclidean error"
OUTSIDE = 0.005  # share of ridge's guesses from which it is said that they leave the world
LEAKY = (
    "Leaky: single steps were shuffled between training and test, so each tested step has near "
    "copies among the training steps; these numbers reproduce published ones and say nothing about "
    "new episodes."
)
TOLD = "This agent received its position as an input: nothing here tells what images teach."
UNSURE = "Whether this imported agent received its position as an input is not known."
NO_TERRAIN = "No terrain was recorded, so path lengths are left out."
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
        *told_position(plan.train.header),
        *told,
        *_split(plan),
        *_nulls(details, options),
        *_leak(found, rows),
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


def told_position(header):
    """Whether an agent was told where it is; of a foreign one it may not be known."""
    return {True: [TOLD], None: [UNSURE]}.get(recording.told(header), [])


def outside(table, area):
    """A sentence where ridge guesses tiles that the world [W, H] does not have."""
    guesses = [part for part in table if str(part["method"][0]).startswith("ridge")]
    if not guesses:
        return []
    place = np.stack([np.concatenate([part[name] for part in guesses]) for name in "xy"], 1)
    share = float(((np.rint(place) < 0) | (np.rint(place) >= area)).any(1).mean())
    if share < OUTSIDE:
        return []
    return [
        f"{share:.0%} of ridge's guesses lie outside the world. They count as they are: a "
        "regression knows no edges, and moving its guesses to the nearest tile would be a rule of "
        "another kind."
    ]


def _split(plan):
    told = [LEAKY] if plan.leaky else []
    if not trajectory.has(plan.test.path, "x", "y"):
        told.append("The test recording has no positions, so nothing could be tested.")
    elif not plan.folds:
        told.append("There are not two episodes to hold apart, so nothing could be tested.")
    elif not plan.test.walkable:
        told.append(NO_TERRAIN)
    starts = plan.train.position[plan.train.step == 0]
    if len(starts) > 1 and len(np.unique(starts, axis=0)) == 1:
        told.append(ONE_SPAWN)
    return told


def _nulls(details, options):
    every = [null for item in details for null in item["nulls"].values()]
    draws = max((len(null["swaps"]["null"]) for null in every if "swaps" in null), default=0)
    if not draws:
        return [
            "Whole-episode swaps: none; they need n_null above 0, at least ten episodes, and the "
            "method ridge, or robust with null_robust."
        ]
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


def _leak(found, rows):
    """What shuffled steps would have claimed, for the widest view of the belief."""
    known = [name for name, item in found.items() if item and item[2]["leaky"] is not None]
    names = [name for name in ("combined", "dyn/deter", *known) if name in known]
    own = [row for row in rows if row["score"] == ERROR and row["representation"] == "ridge"]
    return [
        f"{row['layer']} by ridge: {row['value']:.2f} tiles on held-out episodes, "
        f"{found[row['layer']][2]['leaky']:.2f} with shuffled steps (leaky, near copies in both "
        f"training and test), {row['chance']:.2f} for the best constant guess "
        f"({row['chance_name']})."
        for row in own
        if row["layer"] in names[:1]
    ]


def _fits(details, options):
    """How the classifiers ended: before their tolerance, or at the edge of the strengths."""
    fits = [fold["robust"] for item in details for fold in item["folds"] if "robust" in fold]
    told = []
    if not all(fit["solved"] for fit in fits):
        told.append("Some classifiers stopped before their tolerance (`details`, `folds`).")
    grid = options["robust_strengths"]
    for side, edge in (("weakest", min(grid)), ("strongest", max(grid))):
        count = sum(fit["strength"] == edge for fit in fits)
        if len(grid) > 1 and count > len(fits) / 2:
            told.append(
                f"{count} of {len(fits)} classifiers took the {side} strength of "
                "position.robust_strengths, so a better one may lie beyond it."
            )
    return told


def _beaten(rows, beside):
    """Which layers tell no more than chance, an untrained network or a control, by mean error."""
    own = [row for row in rows if row["score"] == ERROR]
    sides = (("chance", "the best constant guess"), ("control", "the untrained network"))
    told = [_worse(own, lambda row, side=side: row[side], words) for side, words in sides]
    for name in beside:
        values = {row["representation"]: row["value"] for row in own if row["layer"] == name}
        layers = [row for row in own if row["layer"] not in beside]
        told.append(_worse(layers, lambda row, known=values: known[row["representation"]], name))
    return [sentence for sentence in told if sentence]


def _worse(rows, level, words):
    """A sentence that names the rows no better than their `level(row)`, or None."""
    beaten = [
        f"{row['layer']} ({row['representation']})"
        for row in rows
        if level(row) is not None and not beats(row["value"], level(row), "low")
    ]
    return f"No better than {words}: {', '.join(beaten)}." if beaten else None
