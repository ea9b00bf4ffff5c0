"""Episodes of recordings that say something new: those that equal none before."""

import hashlib

import numpy as np

from dreamer import trajectory
from jobs.errors import Refused

LEAST = 0.1  # share of the played episodes


def parts(recordings):
    """Part files [[path]] of these recordings (Parts), without episodes that equal one before.

    Equal ones say nothing new, and one of them would be tested on what the other taught. They come
    about in small worlds; refused is what leaves less than LEAST of them, or one alone.
    """
    seen, found = {}, []
    for own in recordings:
        kept, equal = [], []
        for path in own.paths():
            first = seen.setdefault(digest(path, trajectory.telling(own.header)), path)
            if first == path:
                kept.append(path)
            else:
                equal.append(f"{first} and {path}")
        if equal and len(kept) < max(2, LEAST * own.episodes):
            raise Refused(
                f"{equal[0]} hold the same path and actions, and only {len(kept)} of "
                f"{own.episodes} episodes repeat none; sample the actions, spawn at random, let "
                "the world change or record fewer episodes"
            )
        found.append(kept)
    return found


def digest(path, names):
    """A digest of an episode's columns."""
    found = trajectory.read(path, names)
    told = (np.stack(found[name]).tobytes() for name in names)
    return hashlib.sha256(b"|".join(told)).digest()
