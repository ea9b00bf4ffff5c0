"""Which steps are trained on and which are tested: whole episodes, never single steps.

Neighbouring steps are near copies of each other, so a test on shuffled steps measures memory;
`shuffled` exists to reproduce published numbers, and what it gives is labelled leaky.
"""

import numpy as np
from sklearn.model_selection import GroupKFold, KFold


def folds(episode, count):
    """[(train rows, test rows)] with no episode [T] in both; fewer folds than `count` if need be.

    An empty list where there are not two episodes to hold apart.
    """
    count = min(count, len(np.unique(episode)))
    if count < 2:
        return []
    return list(GroupKFold(count).split(episode, groups=episode))


def holdout(episode, fraction, seed):
    """One fold that tests on about `fraction` of the episodes, at least one, drawn by `seed`."""
    names = np.unique(episode)
    if len(names) < 2:
        return []
    count = int(np.clip(round(fraction * len(names)), 1, len(names) - 1))
    chosen = np.random.default_rng(seed).choice(names, count, replace=False)
    held = np.isin(episode, chosen)
    return [(np.flatnonzero(~held), np.flatnonzero(held))]


def shuffled(steps, count, seed):
    """[(train rows, test rows)] of single steps: leaky."""
    count = min(count, steps)
    if count < 2:
        return []
    return list(KFold(count, shuffle=True, random_state=seed).split(np.zeros(steps)))


def inner(episode):
    """The one split inside training data on which a strength is chosen, or None.

    A quarter of the episodes is held out.
    """
    found = folds(episode, 4)
    return found[0] if found else None


def roomy(episode, position, min_bbox):
    """Rows [T] of the episodes whose visited bounding box covers at least `min_bbox` tiles²."""
    keep = np.zeros(len(episode), bool)
    for name in np.unique(episode):
        rows = episode == name
        spans = np.ptp(position[rows], axis=0) + 1
        keep |= rows & (np.prod(spans) >= min_bbox)
    return keep


def sample(episode, keep, max_samples, seed):
    """Rows of whole episodes drawn from `keep` [T] until they hold `max_samples` steps, sorted.

    A second array gives the rows that remain when single steps are then drawn down to that number.
    """
    rng = np.random.default_rng(seed)
    chosen, total = [], 0
    for name in rng.permutation(np.unique(episode[keep])):
        if total >= max_samples:
            break
        chosen.append(name)
        total += np.count_nonzero(keep & (episode == name))
    whole = np.flatnonzero(keep & np.isin(episode, chosen))
    thin = whole if total <= max_samples else np.sort(rng.choice(whole, max_samples, False))
    return whole, thin
