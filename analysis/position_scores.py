"""The numbers of position decoding, each with the level of a decoder that knows nothing.

In the shapes, Q is test steps.
"""

import numpy as np

from analysis import chance, errors, geodesic
from analysis.rows import row

# Score: (unit, which way is better).
SCORES = {
    "median Euclidean error": ("tiles", "low"),
    "mean Euclidean error": ("tiles", "low"),
    "median Manhattan error": ("tiles", "low"),
    "mean Manhattan error": ("tiles", "low"),
    "mean path length": ("moves", "low"),
    "top-1 accuracy": ("share of steps", "high"),
    "R² of x": ("", "high"),
    "R² of y": ("", "high"),
}
ENTROPY = "cross-entropy"
# Nulls re-train the decoder: {kind: (score, p, what the null is called)}.
SWAPS = "mean Euclidean error, cut episodes"
NULLS = {
    "swaps": (SWAPS, "p against swaps", "whole-episode swaps"),
    "shifts": (
        "mean Euclidean error, one fold",
        "p against circular shifts (not calibrated)",
        "circular shifts (not calibrated)",
    ),
}
KNOWN = {
    **SCORES,
    ENTROPY: ("bits", "low"),
    **{item[0]: ("tiles", "low") for item in NULLS.values()},
}


def measure(guess, truth, found):
    """{score: value} of guesses [Q, 2]; `found` are the grounds that path lengths are taken on."""
    euclidean, manhattan = errors.euclidean(guess, truth), errors.manhattan(guess, truth)
    across, down = errors.r_squared(guess, truth)
    return {
        "median Euclidean error": np.median(euclidean),
        "mean Euclidean error": euclidean.mean(),
        "median Manhattan error": np.median(manhattan),
        "mean Manhattan error": manhattan.mean(),
        "mean path length": geodesic.lengths(found, guess).mean(),
        "top-1 accuracy": errors.hit(guess, truth).mean(),
        "R² of x": across,
        "R² of y": down,
    }


def levels(plan, found, seed):
    """Chance levels: {score: (value, name)} for the tables, and every level as rows."""
    truth, rng = plan.test.position[plan.tested], np.random.default_rng(seed)
    trained = [plan.train.position[rows] for rows, _ in plan.folds]
    counts = [len(held) for _, held in plan.folds]
    best = _constants([chance.constants(position) for position in trained], counts, truth, found)
    means = [dict.fromkeys(SCORES, position.mean(0)) for position in trained]
    mean = _constants(means, counts, truth, found)
    pairs = zip(trained, counts, strict=True)
    drawn = np.concatenate([chance.by_occupancy(*pair, rng) for pair in pairs], axis=1)
    even = chance.uniform(found, len(truth), plan.test.header["area"], rng)
    levels = {
        chance.CONSTANT: best | {ENTROPY: np.nan},
        chance.MEAN: mean | {ENTROPY: np.nan},
        chance.OCCUPANCY: _mean(drawn, truth, found) | {ENTROPY: _prior(plan, trained)},
        chance.UNIFORM: _mean(even, truth, found) | {ENTROPY: np.log2(plan.floor).mean()},
    }
    shown = {score: _harder(score, best[score], mean[score]) for score in SCORES}
    shown[ENTROPY] = (levels[chance.OCCUPANCY][ENTROPY], "occupancy")
    rows = [{"name": name, **_row(score, values[score])} for name, values in levels.items()
            for score in (*SCORES, ENTROPY)]  # fmt: skip
    return shown, rows


def summary(name, method, columns, details, plan, found, shown):
    """Rows of the table for one representation and method."""
    truth = plan.test.position[plan.tested]
    values = measure(np.stack([columns["x"], columns["y"]], 1), truth, found)
    if np.isfinite(columns["p"]).all():
        values[ENTROPY] = errors.cross_entropy(columns["p"], plan.floor).mean()
    known = {score: value for score, value in values.items() if not np.isnan(value)}
    place = {"layer": name, "representation": plan.label(method)}
    rows = [_row(score, value, *shown[score], **place) for score, value in known.items()]
    place["representation"] = method  # nulls keep episodes apart whatever the split
    for kind, null in details["nulls"].get(method, {}).items():
        score, p, label = NULLS[kind]
        level = (np.mean(null["null"]), f"{len(null['null'])} {label}")
        rows.append(_row(score, null["observed"], *level, p=null["p"], **place))
        rows.append(_row(p, null["p"], **place))
    return rows


def controlled(rows, control):
    """The rows, each with the value of the untrained network's row of the same kind beside it."""
    keys = ("score", "layer", "representation")
    values = {tuple(item[key] for key in keys): item["value"] for item in control}
    return [{**item, "control": values.get(tuple(item[key] for key in keys))} for item in rows]


def _row(score, value, level=None, level_name=None, **place):
    return row(score, value, *KNOWN.get(score, ("", "low")), level, level_name, **place)


def _harder(score, tile, mean):
    """(value, name) of the better of two constant guesses.

    A regression that knows nothing guesses the mean position, which can beat every single tile.
    """
    if score.startswith("R²") or (mean < tile if SCORES[score][1] == "low" else mean > tile):
        return mean, chance.MEAN
    return tile, chance.CONSTANT


def _constants(tiles, counts, truth, found):
    """{score: value} of constant guesses {score: position} made from the training of each fold."""
    values = {}
    for score in SCORES:
        own = [np.broadcast_to(item[score], (n, 2)) for item, n in zip(tiles, counts, strict=True)]
        values[score] = measure(np.concatenate(own), truth, found)[score]
    return values


def _mean(draws, truth, found):
    every = [measure(guess, truth, found) for guess in draws]
    return {score: np.mean([item[score] for item in every]) for score in SCORES}


def _prior(plan, trained):
    """Cross-entropy of the training occupancy."""
    own = []
    for position, (_, held) in zip(trained, plan.folds, strict=True):
        tiles, share = chance.occupancy(position)
        index = errors.columns(tiles, plan.test.position[held])
        own.append(np.where(index >= 0, share[index], 0.0))
    return errors.cross_entropy(np.concatenate(own), plan.floor).mean()
