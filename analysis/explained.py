"""How much of a unit's variance does behaviour explain in episodes not used for the maps?

In the shapes, T is steps, U units, K cells. A *cell* is one place with one of everything else (a
facing, a previous action, a distance to each wall) in one fold. What a model predicts for a cell is
linear in the sums of activity over cells, so each model is a sparse matrix that depends on
behaviour alone and serves any number of units. A linear rescaling of a unit changes nothing;
standardised activity keeps single precision exact enough.
"""

import numpy as np

from analysis import levels
from analysis.rate_maps import indicator

VARYING = 1e-4  # held-out variance, of 1 in the whole recording, below which a share is no number


def standardised(activity):
    """Activity [T, U] as float32 with mean 0 and variance 1 per unit; constant units become 0."""
    centred = np.asarray(activity, float)
    centred = centred - centred.mean(axis=0)
    scale = np.sqrt(np.einsum("tu,tu->u", centred, centred) / len(centred))
    constant = np.ptp(activity, axis=0) == 0
    weight = np.divide(1, scale, out=np.zeros_like(scale), where=~constant & (scale > 0))
    return np.multiply(centred, weight, dtype="float32", casting="same_kind")


class Cells:
    """Behaviour sorted into cells: the models that predict each fold from the others."""

    def __init__(self, place, fold, least, joint=None, alone=None, held=None):
        """`place`, `fold` [T]; places with fewer than `least` training steps are not tested.

        `joint` and `alone` are {name: category [T]}: models of their own, of the former also
        together with the place. `held` says which folds are tested (default: all).
        """
        joint, alone = joint or {}, alone or {}
        names = ["fold", "place", *joint, *alone]
        codes = [np.unique(item, return_inverse=True)[1] for item in
                 (fold, place, *joint.values(), *alone.values())]  # fmt: skip
        sizes = [item.max() + 1 for item in codes]
        found, owner, steps = np.unique(
            np.ravel_multi_index(codes, sizes), return_inverse=True, return_counts=True
        )
        cells = dict(zip(names, np.unravel_index(found, sizes), strict=True))
        tested = levels.visits(cells["fold"], cells["place"], steps) >= least
        if held is not None:
            tested &= np.isin(cells["fold"], held)
        self.sum = indicator(owner, len(found), "float32")
        self.untested = np.flatnonzero(~tested[owner])
        self.levels = levels.build(cells, steps, tested, list(joint), list(alone))
        self.models = levels.models(self.levels, list(joint), list(alone))

    def explained(self, activity, squares=None):
        """{model: explained variance [U]} of standardised activity [T, U] in held-out folds.

        1 - sum of n Var(h - guess) / sum of n Var(h) over folds, the same steps for every model.
        NaN where nothing can be tested or where the tested steps hardly vary (VARYING). `squares`
        [U] are the sums of squared activity, where they are known.
        """
        squares = np.einsum("tu,tu->u", activity, activity) if squares is None else squares
        squares = squares - np.square(activity[self.untested]).sum(axis=0)
        sums = {"cells": self.sum @ activity}
        for name, level in self.levels.items():
            sums[name] = level.own @ sums[level.source]
        total = squares + self.levels["fold"].left(sums["fold"], np.zeros_like(sums["fold"]))
        varies = total > VARYING * self.levels["fold"].tested_steps.sum()
        share = np.divide(1, total, out=np.full_like(total, np.nan), where=varies)
        guesses, found = {}, {}
        for name, model in self.models.items():
            known = [sums[model.level], *(guesses[other] for other in model.others)]
            guesses[name] = model.matrix @ np.concatenate(known)
            left = squares + self.levels[model.level].left(sums[model.level], guesses[name])
            found[name] = 1 - left * share
        return found
