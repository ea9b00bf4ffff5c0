"""The null of the spatial analyses: activity of one episode against the behaviour of another.

Episodes are swapped whole, among those of like length and from their first step on. So slow drift
and units that follow the time since reset are as strong under the null as in the data; circular
shifts within an episode would not keep them.
"""

import numpy as np

MIN_EPISODES = 10
KINDS = {
    "swaps": "whole-episode swaps",
    "shifts": "circular shifts within episodes, not calibrated for slow units",
}


def blocks(episode, size=6):
    """Groups of episodes [T] of like length, each an array [members, shortest length] of rows.

    At least `size` members, unless there are fewer episodes in all.
    """
    names, lengths = np.unique(episode, return_counts=True)
    order = names[np.argsort(lengths, kind="stable")]
    found = []
    for members in np.array_split(order, max(1, len(order) // size)):
        rows = [np.flatnonzero(episode == name) for name in members]
        found.append(np.stack([item[: min(map(len, rows))] for item in rows]))
    return found


def identity(groups):
    """The rows of all blocks in order: the data as they are, cut like the swapped ones."""
    return np.concatenate([rows.reshape(-1) for rows in groups])


def draw(groups, rng):
    """Rows whose behaviour goes with the activity of the rows `identity(groups)`."""
    return np.concatenate([rows[rng.permutation(len(rows))].reshape(-1) for rows in groups])


def p_value(null, observed, better):
    """(1 + null values at least as good) / (1 + null values); `better` is "low" or "high".

    `null` is [draws] for one observed value or [draws, ...] for an array of them.
    """
    null = np.asarray(null)
    good = null <= observed if better == "low" else null >= observed
    return (1 + np.sum(good, axis=0)) / (1 + len(null))


def shift(episode, rng):
    """Rows [T] after a circular shift within each episode by a length drawn at random.

    Not calibrated for units that change slowly or follow the time since reset: a shift breaks their
    link with the clock, so they look tuned. Swaps do not.
    """
    rows = np.arange(len(episode))
    for name in np.unique(episode):
        here = np.flatnonzero(episode == name)
        if len(here) > 1:
            rows[here] = np.roll(here, rng.integers(1, len(here)))
    return rows
