"""How much of a unit's variance do place and facing explain in episodes not used for the maps?

In the shapes, T is steps, U units, K cells. A *cell* is one place in one category (a facing, say)
in one fold. What a model predicts for a cell is linear in the sums of activity over cells, so each
model is a sparse matrix that depends on behaviour alone and serves any number of units. A linear
rescaling of a unit changes nothing; standardised activity keeps single precision exact enough.
"""

import numpy as np
from scipy import sparse

from analysis.rate_maps import indicator

PRIOR = 2  # steps of the coarser model by which each mean is shrunk
VARYING = 1e-4  # held-out variance, of 1 in the whole recording, below which a share is no number
MODELS = ("place", "category", "both")


def standardised(activity):
    """Activity [T, U] as float32 with mean 0 and variance 1 per unit; constant units become 0."""
    centred = np.asarray(activity, float)
    centred = centred - centred.mean(axis=0)
    scale = centred.std(axis=0)
    return np.divide(centred, scale, out=np.zeros_like(centred), where=scale > 0).astype("float32")


class Cells:
    """Behaviour sorted into cells: the models that predict each fold from the others."""

    def __init__(self, place, category, fold, min_occupancy):
        """`place`, `category`, `fold` [T]; places under `min_occupancy` training steps are skipped.

        `category` is all zero where only the place counts.
        """
        codes = [np.unique(item, return_inverse=True)[1] for item in (fold, place, category)]
        sizes = [item.max() + 1 for item in codes]
        codes = np.ravel_multi_index(codes, sizes)
        found, owner, steps = np.unique(codes, return_inverse=True, return_counts=True)
        fold, place, category = np.unravel_index(found, sizes)
        groups = (np.zeros_like(fold), place, category, place * sizes[2] + category)
        names = ("fold", *MODELS)
        self.levels = {
            name: _Level(fold, group, steps) for name, group in zip(names, groups, strict=True)
        }
        tested = (self.levels["place"].visits >= min_occupancy)[self.levels["place"].row]
        self.sum = _single(indicator(owner, len(found)))
        self.tested = tested[owner].astype("float32")
        self.parts = {name: _Part(self.levels[name], steps * tested) for name in MODELS}
        self.models = {name: _single(item) for name, item in _models(**self.levels).items()}

    def explained(self, activity):
        """Explained variance [U] of standardised activity [T, U] in held-out folds by MODELS.

        1 - sum of n Var(h - guess) / sum of n Var(h) over folds, the same steps for every model.
        NaN where nothing can be tested or where the tested steps hardly vary (VARYING).
        """
        sums, guesses = self.sum @ activity, {}
        for name, level in self.levels.items():
            known = np.concatenate([level.own @ sums, *guesses.values()])
            guesses[name] = self.models[name] @ known
        squares = self.tested @ np.square(activity)
        total = squares + self.parts["place"].left(sums, 0)
        varies = total > VARYING * self.tested.sum()
        share = np.divide(1, total, out=np.full_like(total, np.nan), where=varies)
        left = {name: self.parts[name].left(sums, guesses[name]) for name in MODELS}
        return {name: 1 - (squares + value) * share for name, value in left.items()}


class _Level:
    """Cells put together by a group within each fold: R of them."""

    def __init__(self, fold, group, steps):
        """`fold`, `group`, `steps` [K]; `row` [K] says where a cell goes."""
        count = group.max() + 1
        found, self.row = np.unique(fold * count + group, return_inverse=True)
        self.fold, groups = np.divmod(found, count)
        self.own = _single(indicator(self.row, len(found)))  # [R, K]
        group = indicator(groups, count)
        self.others = group.T @ group - sparse.eye_array(len(found))  # [R, R]: other folds
        self.visits = self.others @ (self.own @ steps)  # [R] training steps


class _Part:
    """The tested steps of a level."""

    def __init__(self, level, steps):
        """`steps` [K] is 0 in cells that are not tested."""
        self.own = _single(level.own * (steps > 0))
        self.steps = (level.own @ steps).astype("float32")[:, None]
        self.fold = _single(indicator(level.fold, level.fold.max() + 1))

    def left(self, sums, guess):
        """Sum of n Var(h - guess) [U] over folds, less sum h²; from sums [K, U], guess [R, U]."""
        sums, expected = self.own @ sums, self.steps * guess  # [R, U]
        bias = self.fold @ (sums - expected)
        tested = np.maximum(self.fold @ self.steps, 1)
        return ((expected - 2 * sums) * guess).sum(axis=0) - (np.square(bias) / tested).sum(axis=0)


def _models(fold, place, category, both):
    """Each model as a matrix on [its own level's sums, the guesses of the models before it].

    Of training folds, S = sum and n = steps: mean m = S/n, place r_x = (S + 2m)/(n + 2), category
    r_f = S/n (m where n is 0), both = (S + 2(r_x + r_f - m))/(n + 2).
    """
    whole = {level: 1 / np.maximum(level.visits, 1) for level in (fold, category)}
    part = {level: 1 / (level.visits + PRIOR) for level in (place, both)}
    means = [indicator(level.fold, len(fold.fold)).T for level in (place, category, both)]
    weight, none = PRIOR * part[both], sparse.csr_array((len(category.fold), len(place.fold)))
    return {
        "fold": _rows(whole[fold], fold.others),
        "place": _beside(_rows(part[place], place.others), _rows(PRIOR * part[place], means[0])),
        "category": _beside(
            _rows(whole[category], category.others), _rows(category.visits == 0, means[1]), none
        ),
        "both": _beside(
            _rows(part[both], both.others),
            _rows(-weight, means[2]),
            _rows(weight, indicator(place.row, len(place.fold)).T),
            _rows(weight, indicator(category.row, len(category.fold)).T),
        ),
    }


def _rows(weights, matrix):
    return sparse.diags_array(np.asarray(weights, float)) @ matrix


def _beside(*matrices):
    return sparse.hstack(matrices, format="csr")


def _single(matrix):
    return sparse.csr_array(matrix, dtype="float32")
