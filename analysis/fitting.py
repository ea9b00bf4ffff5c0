"""Fitting the decoders of one representation, each strength chosen inside the training episodes.

In the shapes, T is steps, D units, K classes.
"""

from typing import NamedTuple

import numpy as np

from analysis import errors, prnn, ridge, robust, splits
from analysis.decoders import Decoder

LOOSER = 3  # strengths are compared at this many times the tolerance of the final fit
LINEAR = ("ridge", "robust")


class Data(NamedTuple):
    """What a decoder learns from: activity [T, D], tiles [T, 2], episode [T]; `area` is (W, H)."""

    activity: np.ndarray
    position: np.ndarray
    episode: np.ndarray
    area: tuple

    def at(self, rows):
        """The same for some rows."""
        return Data(self.activity[rows], self.position[rows], self.episode[rows], self.area)


class Start(NamedTuple):
    """A classifier found on other steps, from which the search for the final one begins."""

    weights: np.ndarray  # [D, K], for activity that is not standardised
    bias: np.ndarray  # [K]
    tiles: np.ndarray  # [K, 2]


def fit(methods, layers, data, options, floor_tiles):
    """{method: Decoder} from Data, strengths chosen inside.

    The strength is the best on one inner split by episode; `floor_tiles` is how many tiles share
    the floor of the cross-entropy. With one episode it is the middle of the grid.
    """
    split, found = splits.inner(data.episode), {}
    linear = [method for method in methods if method in LINEAR]
    if linear:
        chosen, start = _strengths(linear, data, split, options, floor_tiles)
        basis = ridge.basis(data.activity)
        for method in linear:
            made = _ridge if method == "ridge" else _classifier
            found[method] = made(layers, basis, data.position, chosen[method], start, options)
    if "prnn" in methods:
        found["prnn"] = _published(layers, data, split, options)
    return {method: found[method] for method in methods}


def classes(position):
    """Visited tiles [K, 2] and the class [T] of each step."""
    tiles, labels = np.unique(position, axis=0, return_inverse=True)
    return tiles, labels.reshape(-1)


def shared(basis, start, tiles):
    """Weights [r + 1, K] in the axes of a basis from which to start; None without a Start."""
    if start is None:
        return None
    weights = basis.vectors.T @ (start.weights * basis.scale[:, None])
    bias = start.bias + basis.mean @ start.weights
    return renamed(np.concatenate([weights, bias[None]]), start.tiles, tiles)


def renamed(weights, known, tiles):
    """Weights [r + 1, known] for other tiles [K, 2].

    Those that are not known get no weights and the bias of the rarest.
    """
    own = errors.columns(known, tiles)
    found = weights[:, own]
    found[:-1, own < 0], found[-1, own < 0] = 0, weights[-1].min()
    return found


def _strengths(methods, data, split, options, floor_tiles):
    """({method: strength}, Start or None)."""
    grids = {method: sorted(options[f"{method}_strengths"]) for method in methods}
    chosen, start = {method: grid[len(grid) // 2] for method, grid in grids.items()}, None
    if split is None:
        return chosen, start
    train, held = split
    basis, position = ridge.basis(data.activity[train]), data.position
    rotated = ridge.rotate(basis, data.activity[held])
    if "ridge" in grids:
        pair = (position[train].astype(float), rotated, position[held])
        chosen["ridge"] = ridge.choose(basis, *pair, grids["ridge"])
    if "robust" in grids:
        tiles, labels = classes(position[train])
        own = errors.columns(tiles, position[held])

        def score(probabilities):
            return errors.cross_entropy(errors.own(probabilities, own), floor_tiles).mean()

        settings = (grids["robust"], LOOSER * options["tolerance"], score)
        inner = (basis.rotated, basis.values, labels)
        found = robust.choose(inner, rotated, len(tiles), *settings)
        chosen["robust"] = found.strength
        start = Start(*raw(basis, found.weights), tiles)
    return chosen, start


def raw(basis, weights):
    """(weights [D, K], bias [K]) for activity that is not standardised."""
    own = basis.vectors @ weights[:-1] / basis.scale[:, None]
    return own, weights[-1] - basis.mean @ own


def _ridge(layers, basis, position, strength, _, options):
    weights, bias = ridge.solve(basis, position.astype(float), strength)
    empty = np.zeros((0, 2), np.int64)
    return _decoder("ridge", layers, strength, True, basis, weights, bias, empty)


def _classifier(layers, basis, position, strength, start, options):
    tiles, labels = classes(position)
    data = (basis.rotated, basis.values, labels, len(tiles))
    first = shared(basis, start, tiles)
    weights, solved = robust.solve(*data, strength, options["tolerance"], first)
    return _decoder("robust", layers, strength, solved, basis, weights[:-1], weights[-1], tiles)


def _decoder(method, layers, strength, solved, basis, weights, bias, tiles):
    parts = (basis.mean, basis.scale, basis.vectors @ weights, bias)
    outcome = [part.astype(np.float32) for part in parts]
    return Decoder(method, tuple(layers), float(strength), solved, *outcome, tiles)


def _published(layers, data, split, options):
    """prnn: without patience all steps train; with it, the inner split's test part says when."""
    tiles = np.indices(data.area).reshape(2, -1).T
    labels = data.position[:, 0] * data.area[1] + data.position[:, 1]
    train, held = np.arange(len(labels)), None
    if options["patience"] and split is not None:
        train, rows = split
        held = (data.activity[rows], labels[rows])
    weights, _ = prnn.train(data.activity[train], labels[train], len(tiles), options, held)
    units = data.activity.shape[1]
    plain = [np.full(size, fill, np.float32) for size, fill in ((units, 0), (units, 1))]
    bias = np.zeros(len(tiles), np.float32)
    return Decoder("prnn", tuple(layers), prnn.DECAY, True, *plain, weights, bias, tiles)
