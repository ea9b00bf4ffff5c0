"""Decode one representation on episodes that its decoder has not seen.

In the shapes, T is training steps, Q test steps (all folds one after another), D units.
"""

from typing import NamedTuple

import numpy as np

from analysis import decoders, errors, probmaps, recording, ridge, splits, swaps
from analysis.fitting import fit


class Plan(NamedTuple):
    """Which rows train and which test; the same for every representation."""

    train: recording.Recording
    test: recording.Recording
    folds: list  # [(rows of train, rows of test)]
    rows: np.ndarray  # [T] training rows after min_bbox and max_samples
    whole: np.ndarray  # rows of the same episodes before single steps were drawn
    tested: np.ndarray  # [Q] rows of test
    fold: np.ndarray  # [Q]
    floor: np.ndarray  # [Q] walkable tiles, which share the floor of the cross-entropy


def plan(train, test, options):
    """Plan for a split: `episodes` (grouped folds), `holdout`, or `test` (the other recording)."""
    whole, rows = _sample(train, options)
    split, episode = options["split"], train.episode[rows]
    if split == "test":
        target, held = test, _sample(test, options)[1]
        folds = [(rows, held)] if len(rows) and len(held) else []
    else:
        target = train
        found = (
            splits.folds(episode, options["folds"])
            if split == "episodes"
            else splits.holdout(episode, options["holdout"], options["seed"])
        )
        folds = [(rows[fitted], rows[held]) for fitted, held in found]
    tested = np.concatenate([held for _, held in folds]) if folds else np.zeros(0, int)
    numbers = [np.full(len(held), index) for index, (_, held) in enumerate(folds)]
    fold = np.concatenate(numbers) if folds else tested
    return Plan(train, target, folds, rows, whole, tested, fold, floor_tiles(target, tested))


def floor_tiles(found, rows):
    """Walkable tiles [Q] at reset of each row's episode; the whole area without terrain."""
    if not found.walkable:
        return np.full(len(rows), np.prod(found.header["area"]))
    counts = {name: np.count_nonzero(mask) for name, mask in found.walkable.items()}
    return np.array([counts[name] for name in found.episode[rows]], int)


def evaluate(plan, layers, options):
    """What one representation tells: {method: columns [Q]}, {method: Decoder} of all rows, details.

    None where the activity is not finite.
    """
    inputs = recording.activity(plan.train.path, layers)
    same = plan.test is plan.train
    tests = inputs if same else recording.activity(plan.test.path, layers)
    if not (np.isfinite(inputs).all() and np.isfinite(tests).all()):
        return None
    fitted = [_fit(plan, layers, inputs, rows, options) for rows, _ in plan.folds]
    guesses = {method: [] for method in options["methods"]}
    for found, (_, held) in zip(fitted, plan.folds, strict=True):
        for method, decoder in found.items():
            guesses[method].append(decoders.apply(decoder, tests[held]))
    joined = {method: _join(plan, items) for method, items in guesses.items() if items}
    separate = fitted and not same
    final = fitted[0] if separate else _fit(plan, layers, inputs, plan.rows, options)
    details = {"units": inputs.shape[1], "folds": [_settings(found) for found in fitted]}
    if "robust" in joined:
        details["probmaps"] = _maps(plan, guesses["robust"])
    if "ridge" in final:
        details["swaps"] = swapped(plan, inputs, final["ridge"].strength, options)
    return joined, final, details


def columns(guess, truth):
    """{x, y, p (of the true tile), entropy (bits)} [Q]; NaN where ridge has no answer."""
    found = {"x": guess.point[:, 0].astype(float), "y": guess.point[:, 1].astype(float)}
    blank = np.full(len(truth), np.nan)
    if guess.probabilities is None:
        return {**found, "p": blank, "entropy": blank}
    own = errors.columns(guess.tiles, truth)
    probability = errors.own(guess.probabilities, own)
    return {**found, "p": probability, "entropy": errors.entropy(guess.probabilities)}


def swapped(plan, inputs, strength, options):
    """Mean Euclidean error of ridge, re-trained, as observed and under whole-episode swaps.

    One outer split of the training recording; one basis serves all swaps, because a swap changes
    only which behaviour stands beside the activity. None with fewer than ten episodes.
    """
    episode, position = plan.train.episode[plan.whole], plan.train.position[plan.whole]
    if options["n_null"] == 0 or len(np.unique(episode)) < swaps.MIN_EPISODES:
        return None
    groups, rng = swaps.blocks(episode), np.random.default_rng(options["seed"])
    rows = swaps.identity(groups)
    draws = [rows, *(swaps.draw(groups, rng) for _ in range(options["n_null"]))]
    fitted, held = splits.folds(episode[rows], options["folds"])[0]
    activity = inputs[plan.whole[rows]]
    basis = ridge.basis(activity[fitted])
    targets = np.concatenate([position[item] for item in draws], axis=1).astype(float)
    weights, bias = ridge.solve(basis, targets[fitted], strength)
    guess = ridge.rotate(basis, activity[held]) @ weights + bias
    gaps = (guess - targets[held]).reshape(len(held), len(draws), 2)
    observed, *null = np.linalg.norm(gaps, axis=2).mean(0).tolist()
    p = swaps.p_value(null, observed, "low")
    return {"observed": observed, "null": null, "p": p}


def _sample(found, options):
    keep = splits.roomy(found.episode, found.position, options["min_bbox"])
    return splits.sample(found.episode, keep, options["max_samples"], options["seed"])


def _fit(plan, layers, inputs, rows, options):
    found = plan.train
    floor = floor_tiles(found, rows).mean()
    data = (inputs[rows], found.position[rows], found.episode[rows])
    return fit(options["methods"], layers, *data, options, floor)


def _join(plan, guesses):
    pairs = zip(guesses, plan.folds, strict=True)
    parts = [columns(guess, plan.test.position[held]) for guess, (_, held) in pairs]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _maps(plan, guesses):
    truth, area = plan.test.position, plan.test.header["area"]
    chosen = probmaps.choose(truth[plan.tested])
    pairs = zip(guesses, plan.folds, strict=True)
    sums = sum(probmaps.total(guess, truth[held], chosen, area) for guess, (_, held) in pairs)
    return probmaps.sparse(sums, truth[plan.tested], chosen)


def _settings(found):
    return {
        method: {"strength": decoder.strength, "solved": decoder.solved}
        for method, decoder in found.items()
    }
