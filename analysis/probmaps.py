"""Mean decoded probability map for a few true tiles: what a layer says when the agent is there.

In the shapes, Q is test steps, M chosen tiles, W x H the world in tiles.
"""

import numpy as np


def choose(position):
    """The most visited tile [<= 4, 2] in each quarter around the median of positions [Q, 2]."""
    tiles, counts = np.unique(position, axis=0, return_counts=True)
    side = tiles >= np.median(position, axis=0)
    found = []
    for right in (False, True):
        for below in (False, True):
            quarter = (side == (right, below)).all(1)
            if quarter.any():
                found.append(tiles[quarter][counts[quarter].argmax()])
    return np.array(found).reshape(-1, 2)


def total(guess, truth, chosen, area):
    """Sums [M, W, H] of the probabilities of a Guess over the steps on each chosen tile."""
    maps = np.zeros((len(chosen), *area))
    for index, tile in enumerate(chosen):
        here = (truth == tile).all(1)
        maps[(index, *guess.tiles.T)] = guess.probabilities[here].sum(0)
    return maps


def sparse(maps, truth, chosen, smallest=1e-3):
    """[{tile, steps, x, y, p}] of mean maps from sums [M, W, H]; only p >= `smallest` is kept."""
    found = []
    for tile, summed in zip(chosen, maps, strict=True):
        steps = int((truth == tile).all(1).sum())
        mean = summed / max(steps, 1)
        x, y = np.nonzero(mean >= smallest)
        entry = {"tile": tile.tolist(), "steps": steps, "x": x.tolist(), "y": y.tolist()}
        found.append({**entry, "p": np.round(mean[x, y], 4).tolist()})
    return found
