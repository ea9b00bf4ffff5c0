"""What a decoder that knows nothing would score, in the same units as the decoders.

In the shapes, T is training steps, Q test steps, K tiles visited in training.
"""

import numpy as np

from analysis import errors

CONSTANT, MEAN, OCCUPANCY, UNIFORM = (
    "best constant tile",
    "mean position",
    "tile drawn by occupancy",
    "uniform over reachable walkable tiles",
)
DRAWS = 10


def occupancy(position):
    """Tiles [K, 2] visited in training [T, 2] and the share of steps on each, [K]."""
    tiles, counts = np.unique(position, axis=0, return_counts=True)
    return tiles, counts / len(position)


def tally(position):
    """{x, y, steps}: how often each tile was visited, as lists for a file's header."""
    tiles, counts = np.unique(position, axis=0, return_counts=True)
    names = ("x", "y", "steps")
    return dict(zip(names, np.column_stack([tiles, counts]).T.tolist(), strict=True))


def visited(found):
    """Positions [T, 2] of which `tally` gives the same; their order is lost."""
    return np.repeat(np.stack([found["x"], found["y"]], 1), found["steps"], axis=0)


def constants(position):
    """{score: the tile that would have scored best on the training steps [T, 2]}.

    Path lengths use the tile of the mean Euclidean error, R² the mean position.
    """
    tiles, share = occupancy(position)
    found = {}
    for name in ("Euclidean", "Manhattan"):
        distance = getattr(errors, name.lower())(tiles[:, None], tiles[None])  # [K, K]
        median = np.quantile(distance, 0.5, axis=1, weights=_like(share, distance), **INVERTED)
        found[f"mean {name} error"] = tiles[(distance @ share).argmin()]
        found[f"median {name} error"] = tiles[median.argmin()]
    found["mean path length"] = found["mean Euclidean error"]
    found["top-1 accuracy"] = tiles[share.argmax()]
    found["R² of x"] = found["R² of y"] = position.mean(0)
    return found


def by_occupancy(position, count, rng):
    """DRAWS x count tiles drawn as often as they were visited in training, [DRAWS, count, 2]."""
    tiles, share = occupancy(position)
    return tiles[rng.choice(len(tiles), (DRAWS, count), p=share)]


def uniform(found, count, area, rng):
    """DRAWS x count tiles drawn evenly from those reachable from the truth on the `grounds`.

    Without terrain they are drawn from the whole area [W, H].
    """
    if not found:
        return rng.integers(0, area, (DRAWS, count, 2))
    guess = np.zeros((DRAWS, count, 2), int)
    for rows, ground in found:
        for name in ground.trees:
            own, tiles = rows[ground.home == name], ground.members(name)
            guess[:, own] = tiles[rng.integers(len(tiles), size=(DRAWS, len(own)))]
    return guess


INVERTED = {"method": "inverted_cdf"}


def _like(share, distance):
    return np.broadcast_to(share, distance.shape)
