"""Decoders re-trained on behaviour that does not belong to the activity.

One outer split of the training recording, the strength as found without a swap: a swap changes only
which behaviour stands beside the activity, so one basis serves all of them. In the shapes, T is
steps.
"""

import numpy as np

from analysis import fitting, ridge, robust, splits, swaps


def evaluate(plan, inputs, fitted, options):
    """{method: {"swaps" or "shifts": {observed, null, p}}} of mean Euclidean errors in tiles.

    `fitted` are the Decoders whose strengths are used. Swaps need ten episodes, shifts two.
    """
    episode, rng = plan.train.episode, np.random.default_rng(options["seed"])
    count, found = len(np.unique(episode)), {}
    if options["n_null"] and count >= swaps.MIN_EPISODES:
        groups = swaps.blocks(episode)
        draws = [swaps.draw(groups, rng) for _ in range(options["n_null"])]
        found["swaps"] = _compare(plan, inputs, swaps.identity(groups), draws, fitted, options)
    if options["n_shift"] and count > 1:
        draws = [swaps.shift(episode, rng) for _ in range(options["n_shift"])]
        found["shifts"] = _compare(plan, inputs, np.arange(len(episode)), draws, fitted, options)
    methods = {method for item in found.values() for method in item}
    return {
        method: {kind: item[method] for kind, item in found.items() if method in item}
        for method in methods
    }


def leaky(plan, inputs, fitted, options):
    """Mean Euclidean error of ridge on one fold of shuffled single steps, or None.

    Its neighbours in time are in training, so it shows what such a test would have claimed.
    """
    folds = splits.shuffled(len(plan.rows), options["folds"], options["seed"])
    if not options["leak"] or plan.leaky or "ridge" not in fitted or not folds:
        return None
    train, held = (plan.rows[part] for part in folds[0])
    basis, target = ridge.basis(inputs[train]), plan.train.position
    weights, bias = ridge.solve(basis, target[train].astype(float), fitted["ridge"].strength)
    guess = ridge.rotate(basis, inputs[held]) @ weights + bias
    return float(np.linalg.norm(guess - target[held], axis=1).mean())


def _compare(plan, inputs, rows, draws, fitted, options):
    """{method: {observed, null, p}} for activity at `rows` beside behaviour at each of `draws`."""
    train, held = splits.folds(plan.train.episode[rows], options["folds"])[0]
    basis = ridge.basis(inputs[rows[train]])
    rotated = ridge.rotate(basis, inputs[rows[held]])
    targets = plan.train.position[np.stack([rows, *draws])]  # [draws + 1, T, 2]
    methods = {"ridge": _ridge}
    if options["null_robust"]:
        methods["robust"] = _robust
    found = {}
    for method in [name for name in methods if name in fitted]:
        settings = (fitted[method].strength, options["tolerance"])
        guesses = methods[method](basis, rotated, targets[:, train], *settings)
        gaps = np.stack(list(guesses)) - targets[:, held]
        observed, *null = np.linalg.norm(gaps, axis=2).mean(1).tolist()
        p = swaps.p_value(null, observed, "low")
        found[method] = {"observed": observed, "null": null, "p": p}
    return found


def _ridge(basis, rotated, targets, strength, _):
    """All targets at once, side by side."""
    flat = np.concatenate(list(targets), axis=1).astype(float)
    weights, bias = ridge.solve(basis, flat, strength)
    guess = rotated @ weights + bias
    return guess.reshape(len(rotated), len(targets), 2).swapaxes(0, 1)


def _robust(basis, rotated, targets, strength, tolerance):
    """One classifier after another, each started from that of the true behaviour."""
    first = None
    for position in targets:
        tiles, labels = fitting.classes(position)
        start = first and fitting.renamed(*first, tiles)
        data = (basis.rotated, basis.values, labels, len(tiles))
        weights, _ = robust.solve(*data, strength, tolerance, start)
        first = first or (weights, tiles)
        yield tiles[robust.probabilities(rotated, weights).argmax(1)]
