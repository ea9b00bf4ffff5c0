"""How much of the ground an agent could walk on did it visit, and how evenly?

In the shapes, W x H is the world in tiles, E episodes, T steps, D draws, R reachable tiles.
"""

import numpy as np
from scipy import ndimage

MOVES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])


def reachable(walkable, starts):
    """Mask [W, H] of the walkable tiles that can be reached on foot from the starts [E, 2].

    Steps go to the four neighbours; a start counts as walkable.
    """
    walkable = walkable.copy()
    walkable[tuple(starts.T)] = True
    parts, _ = ndimage.label(walkable)
    return np.isin(parts, np.unique(parts[tuple(starts.T)]))


def covered(visits):
    """Share of the tiles [..., R] with at least one visit."""
    return (np.asarray(visits) > 0).mean(axis=-1)


def divergence(visits):
    """KL of the share of visits [..., R] from the uniform distribution over R tiles, in bits."""
    visits = np.asarray(visits, float)
    share = visits / visits.sum(axis=-1, keepdims=True)
    logarithm = np.log2(share * visits.shape[-1], out=np.zeros_like(share), where=share > 0)
    return (share * logarithm).sum(axis=-1)


def uniform(steps, tiles, draws, rng):
    """Visits [D, R] when each of `steps` steps falls on any of R `tiles` with equal chance."""
    return rng.multinomial(steps, np.full(tiles, 1 / tiles), draws)


def random_walk(mask, starts, lengths, draws, rng):
    """Visits [D, R] of walkers on mask [W, H] that move every step in a random direction.

    From the starts [E, 2] for `lengths` [E] steps each; a move off the mask leaves them in place.
    """
    place = np.repeat(starts[None], draws, axis=0)  # [D, E, 2]
    index = np.full(mask.shape, -1)
    index[mask] = np.arange(mask.sum())
    visits = np.zeros((draws, mask.sum()), int)
    lanes = np.arange(draws)[:, None]
    for step in range(lengths.max()):
        going = lengths > step
        np.add.at(visits, (lanes, index[tuple(place[:, going].T)].T), 1)
        target = place + MOVES[rng.integers(4, size=place.shape[:2])]
        inside = ((target >= 0) & (target < mask.shape)).all(axis=-1)
        free = inside & mask[tuple(np.where(inside[..., None], target, 0).T)].T
        place = np.where(free[..., None], target, place)
    return visits
