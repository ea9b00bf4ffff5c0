"""Fitting the decoders of one representation, each strength chosen inside the training episodes.

In the shapes, T is steps, D units.
"""

import numpy as np

from analysis import errors, ridge, robust, splits
from analysis.decoders import Decoder


def fit(methods, layers, activity, position, episode, options, floor_tiles):
    """{method: Decoder} from activity [T, D] and tiles [T, 2], strengths chosen inside.

    The strength is the best on one inner split by episode; `floor_tiles` is how many tiles share
    the floor of the cross-entropy. With one episode it is the middle of the grid.
    """
    strengths = _strengths(methods, activity, position, episode, options, floor_tiles)
    basis = ridge.basis(activity)
    found = {}
    for method in methods:
        if method == "ridge":
            weights, bias = ridge.solve(basis, position.astype(float), strengths[method])
            solved, tiles = True, np.zeros((0, 2), np.int64)
        else:
            weights, bias, solved, tiles = _classifier(basis, position, strengths[method], options)
        weights = (basis.vectors @ weights).astype(np.float32)
        standard = (basis.mean.astype(np.float32), basis.scale.astype(np.float32))
        outcome = (*standard, weights, bias.astype(np.float32), tiles)
        found[method] = Decoder(method, tuple(layers), float(strengths[method]), solved, *outcome)
    return found


def _strengths(methods, activity, position, episode, options, floor_tiles):
    grids = {method: sorted(options[f"{method}_strengths"]) for method in methods}
    split = splits.inner(episode)
    if split is None:
        return {method: grid[len(grid) // 2] for method, grid in grids.items()}
    train, held = split
    basis = ridge.basis(activity[train])
    rotated = ridge.rotate(basis, activity[held])
    found = {}
    if "ridge" in grids:
        pair = (position[train].astype(float), rotated, position[held])
        found["ridge"] = ridge.choose(basis, *pair, grids["ridge"])
    if "robust" in grids:
        tiles, labels = _classes(position[train])
        own = errors.columns(tiles, position[held])

        def score(probabilities):
            return errors.cross_entropy(errors.own(probabilities, own), floor_tiles).mean()

        data = (basis.rotated, basis.values, labels)
        settings = (grids["robust"], options["tolerance"], score)
        found["robust"] = robust.choose(data, rotated, len(tiles), *settings)
    return found


def _classifier(basis, position, strength, options):
    tiles, labels = _classes(position)
    data = (basis.rotated, basis.values, labels, len(tiles))
    weights, solved = robust.solve(*data, strength, options["tolerance"])
    return weights[:-1], weights[-1], solved, tiles


def _classes(position):
    tiles, labels = np.unique(position, axis=0, return_inverse=True)
    return tiles, labels.reshape(-1)
