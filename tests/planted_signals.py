"""The signals of planted units: what each kind of unit would say without noise.

In the shapes, T is steps.
"""

from typing import NamedTuple

import numpy as np
from scipy import signal

OPPOSITE = np.array([1, 0, 3, 2])  # of left, right, up, down
STEPS = 250  # of an episode
COMPONENT = 0.25  # share of a conjunctive signal that each of its parts adds to the other


class Walked(NamedTuple):
    """All walks of a recording, one after the other."""

    position: np.ndarray  # [T, 2]
    facing: np.ndarray  # [T]
    walls: np.ndarray  # [T, 4]
    episode: np.ndarray  # [T]
    time: np.ndarray  # [T] steps since reset


def scaled(values):
    """Values [T] with mean 0 and variance 1."""
    return (values - values.mean()) / values.std()


def white(walked, rng):
    """White noise [T]."""
    return rng.normal(size=len(walked.time))


def slow(walked, rng, steps):
    """Noise [T] that forgets over `steps` steps, drawn anew in every episode."""
    keep, found = np.exp(-1 / steps), rng.normal(size=len(walked.time))
    found[walked.time > 0] *= np.sqrt(1 - keep**2)
    parts = np.split(found, np.flatnonzero(walked.time == 0)[1:])
    return np.concatenate([signal.lfilter([1], [1, -keep], part) for part in parts])


def often(walked, rows, least):
    """Whether rows [T] (bool) hold enough steps from at least ten episodes."""
    return rows.sum() >= least and len(np.unique(walked.episode[rows])) >= 10


def centre(walked, rng, width, facing=None):
    """A tile (x, y) around which the agent was often, also facing that way where one is given."""
    while True:
        tile = walked.position[rng.integers(len(walked.time))]
        near = np.linalg.norm(walked.position - tile, axis=1) <= width
        turned = near & (walked.facing == facing)
        if often(walked, near, 150) and (facing is None or often(walked, turned, 60)):
            return tile


def bump(walked, tile, width):
    """A Gaussian field [T] around a tile."""
    return np.exp(-((walked.position - tile) ** 2).sum(1) / (2 * width**2))


def place(kind, walked, rng):
    """One field, of the width that the kind names."""
    width = float(kind.split()[-1]) if "width" in kind else 2.5
    found = bump(walked, centre(walked, rng, width), width)
    return -found if "inverted" in kind else found


def border(kind, walked, rng, facing=None):
    """Active by the walls in one direction."""
    while True:
        distance = walked.walls[:, rng.integers(4)]
        turned = (distance == 1) & (facing is None or walked.facing == facing)
        if often(walked, turned, 150 if facing is None else 60):
            return np.exp(1.0 - distance) if "soft" in kind else 1.0 * (distance == 1)


def head(kind, walked, rng):
    """Active when facing one way; soft: half as much to the sides of it."""
    preferred = rng.integers(4)
    found = 1.0 * (walked.facing == preferred)
    sides = (walked.facing != preferred) & (walked.facing != OPPOSITE[preferred])
    return found + 0.5 * sides if "soft" in kind else found


def both(kind, walked, rng):
    """A field or border with a facing: each adds at least 20% of the total to the other."""
    while True:
        facing = rng.integers(4)
        turned = 1.0 * (walked.facing == facing)
        if "border" in kind:
            where = border(kind, walked, rng, facing)
        else:
            where = bump(walked, centre(walked, rng, 2.5, facing), 2.5)
        found = scaled(where) + scaled(turned) if "+" in kind else where * turned
        alone = [shares(found, part) for part in (walked.position @ [1000, 1], walked.facing)]
        if 1 - max(alone) >= COMPONENT:
            return found


def shares(values, category):
    """Share of the variance of values [T] between the categories [T]."""
    _, index, count = np.unique(category, return_inverse=True, return_counts=True)
    return (np.bincount(index, values) / count)[index].var() / values.var()


def ramp(kind, walked, rng):
    """Rises along one direction over the whole world."""
    angle = rng.uniform(0, 2 * np.pi)
    return walked.position @ [np.cos(angle), np.sin(angle)]


def several(kind, walked, rng):
    """Three fields at least nine tiles apart."""
    while True:
        tiles = np.array([centre(walked, rng, 1.5) for _ in range(3)])
        gaps = np.linalg.norm(tiles[:, None] - tiles, axis=2)[np.triu_indices(3, 1)]
        if gaps.min() >= 9:
            return sum(bump(walked, tile, 1.5) for tile in tiles)


def bursts(kind, walked, rng):
    """Silent but for rare bursts of a few steps."""
    starts = (rng.random(len(walked.time)) < 0.01) * rng.exponential(size=len(walked.time))
    return np.convolve(starts, 0.7 ** np.arange(12))[: len(walked.time)]


def clock(kind, walked, rng):
    """Active around one moment since reset."""
    return np.exp(-((walked.time - rng.uniform(0, STEPS)) ** 2) / (2 * 40**2))


SIGNALS = {
    "place": place, "border": border, "HD": head, "ramp": ramp, "multi-field": several,
    "place x HD": both, "place + HD": both, "border x HD": both, "bursts": bursts, "clock": clock,
    "white": lambda kind, walked, rng: white(walked, rng),
    "AR(10)": lambda kind, walked, rng: slow(walked, rng, 10),
    "AR(40)": lambda kind, walked, rng: slow(walked, rng, 40),
}  # fmt: skip
