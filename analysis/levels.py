"""Cells put together by place, by facing, by both ...: sums and predictions as sparse matrices.

In the shapes, K is cells, R the rows of a level, U units.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from analysis.rate_maps import indicator

PRIOR = 2  # steps of the coarser model by which each mean is shrunk
JOINT = "place+{}"


class Model(NamedTuple):
    """A prediction for the rows of a level.

    It is one matrix on that level's sums with the guesses of the `others` below them.
    """

    level: str
    others: tuple
    matrix: sparse.csr_array


class Level:
    """Cells of one group in one fold, in rows; the rows that are tested come last."""

    def __init__(self, group, fold, steps, tested, sources):
        """`group`, `fold`, `steps`, `tested` [K]; `sources` {name: Level} are summed already."""
        count, parts = group.max() + 1, fold.max() + 1
        code = (tested * parts + fold) * count + group
        found, self.row = np.unique(code, return_inverse=True)
        self.group = found % count
        self.flag, self.fold = np.divmod(found // count, parts)
        self.source, rows = _finest(self.row, sources)
        self.own = indicator(rows, len(found), "float32")
        self.steps = np.bincount(self.row, steps, minlength=len(found))
        same = indicator(self.group, count)
        here = indicator(np.unique(found % (parts * count), return_inverse=True)[1], len(found))
        self.others = same.T @ same - here.T @ here  # the same group in other folds
        self.visits = self.others @ self.steps  # training steps
        self.first = int(np.searchsorted(self.flag, 1))
        self.tested_steps = self.steps[self.first :].astype("float32")[:, None]
        self.part = indicator(self.fold[self.first :], parts, "float32")

    def left(self, sums, guess):
        """Sum of n Var(h - guess) [U] over folds, less sum h²; from sums and guess [R, U]."""
        sums, guess = sums[self.first :], guess[self.first :]
        expected = self.tested_steps * guess
        bias = self.part @ (sums - expected)
        tested = np.maximum(self.part @ self.tested_steps, 1)
        expected -= 2 * sums
        return np.einsum("ru,ru->u", expected, guess) - (np.square(bias) / tested).sum(axis=0)


def visits(fold, place, steps):
    """Steps [K] that the place of each cell has in other folds than its own."""
    both = fold * (place.max() + 1) + place
    return np.bincount(place, steps)[place] - np.bincount(both, steps)[both]


def build(cells, steps, tested, joint, alone):
    """{name: Level}, each after the one that it is summed from; cells {name: code [K]}."""
    tested, fold, place = tested.astype(int), cells["fold"], cells["place"]
    groups = {JOINT.format(name): place * (cells[name].max() + 1) + cells[name] for name in joint}
    groups |= {name: cells[name] for name in ("place", *joint, *alone)} | {"fold": 0 * fold}
    found = {}
    for name, group in groups.items():
        found[name] = Level(np.unique(group, return_inverse=True)[1], fold, steps, tested, found)
    return found


def models(found, joint, alone):
    """{name: Model} in the order in which they can be computed.

    Of training folds, S = sum and n = steps: mean m = S/n, place r_x = (S + 2m)/(n + 2), unshrunk
    S/n, category r_f = S/n (m where n is 0), both = (S + 2(r_x + r_f - m))/(n + 2).
    """
    place, whole = found["place"], found["fold"]
    part, mean = 1 / (place.visits + PRIOR), _pick(place.fold, whole.fold)
    made = {
        "mean": _model("fold", (), _rows(_inverse(whole.visits), whole.others)),
        "place": _model("place", ("mean",), _rows(part, place.others), _rows(PRIOR * part, mean)),
        "unshrunk": _model("place", (), _rows(_inverse(place.visits), place.others)),
    }
    for name in (*joint, *alone):
        made[name] = _category(name, found)
    return made | {JOINT.format(name): _both(name, found) for name in joint}


def _category(name, found):
    level = found[name]
    mean = _rows(level.visits == 0, _pick(level.fold, found["fold"].fold))
    return _model(name, ("mean",), _rows(_inverse(level.visits), level.others), mean)


def _both(name, found):
    level, category, place = found[JOINT.format(name)], found[name], found["place"]
    part = 1 / (level.visits + PRIOR)
    weight = PRIOR * part
    return _model(
        JOINT.format(name),
        ("mean", "place", name),
        _rows(part, level.others),
        _rows(-weight, _pick(level.fold, found["fold"].fold)),
        _rows(weight, _pick(_above(level, place), np.arange(len(place.fold)))),
        _rows(weight, _pick(_above(level, category), np.arange(len(category.fold)))),
    )


def _above(level, other):
    """For each row of `level` a row of `other` that shares cells with it."""
    found = np.zeros(len(level.fold), int)
    found[level.row] = other.row
    return found


def _finest(row, sources):
    """(name, its rows' new rows) of the smallest source that no row of the new level splits."""
    for name, level in sorted(sources.items(), key=lambda item: len(item[1].fold)):
        rows = np.zeros(len(level.fold), int)
        rows[level.row] = row
        if (rows[level.row] == row).all():
            return name, rows
    return "cells", row


def _pick(wanted, known):
    """Sparse matrix that copies, for each entry of `wanted`, the first equal row of `known`."""
    names, first = np.unique(known, return_index=True)
    return indicator(first[np.searchsorted(names, wanted)], len(known)).T


def _inverse(steps):
    return 1 / np.maximum(steps, 1)


def _rows(weights, matrix):
    return sparse.diags_array(np.asarray(weights, float)) @ matrix


def _model(level, others, *matrices):
    joined = sparse.hstack(matrices, format="csr")
    return Model(level, others, sparse.csr_array(joined, dtype="float32"))
