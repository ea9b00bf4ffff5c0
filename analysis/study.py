"""The behaviour of a recording: as it was, cut as its null needs it, and against other activity.

In the shapes, T is steps, U units.
"""

import numpy as np

from analysis import swaps
from analysis.unit_metrics import METRICS, SHAPES, Prepared, activity


class Study:
    """The behaviour of a recording: as it was, cut as the null needs it, and swapped."""

    def __init__(self, behaviour, episode, area, options, mapped=None, held=None):
        """`episode` [T]; the first `mapped` rows make maps (default all), `held` folds are tested.

        Options min_occupancy, n_null, null_method, seed. No swaps under ten episodes.
        """
        self.behaviour, self.options, self.episode = behaviour, options, episode
        self.mapped, least = len(episode) if mapped is None else mapped, options["min_occupancy"]
        self.whole = Prepared(behaviour, area, least, self.mapped, held)
        self.rows, draws = null_rows(episode, self.mapped, options)
        cut = np.count_nonzero(self.rows < self.mapped)
        fold = None if behaviour.fold is None else behaviour.fold[self.rows]
        prepared = [
            Prepared(behaviour.take(rows, fold), area, least, cut, held)
            for rows in ([self.rows, *draws] if draws else [])
        ]
        self.cut, self.swapped = (prepared[0], prepared[1:]) if prepared else (None, [])

    def units(self, values):
        """(observed, cut, null, p) of values [T, U]: {metric: [U]}, null {metric: [draws, U]}.

        `cut` is observed on the steps that the null has; p compares these two. Without a null,
        `cut` and p are NaN and the null is empty.
        """
        units = activity(values, self.options)
        observed = self.whole.measure(units)
        if self.cut is None:
            missing = dict.fromkeys((*METRICS, *SHAPES), np.full(len(units.active), np.nan))
            return observed, missing, {}, missing
        units = units.take(self.rows)
        cut = self.cut.measure(units)
        draws = [item.measure(units, every=False) for item in self.swapped]
        null = {name: np.stack([draw[name] for draw in draws]) for name in (*METRICS, *SHAPES)}
        p = {name: p_values(null[name], cut[name]) for name in METRICS}
        return observed, cut, null, p


def null_rows(episode, mapped, options):
    """(rows of the activity, [rows of the behaviour put beside them, one per draw]).

    Episodes of the recording for maps and of the one for tests are swapped among themselves.
    """
    rng = np.random.default_rng(options["seed"])
    parts = [part for part in np.split(np.arange(len(episode)), [mapped]) if len(part)]
    if not options["n_null"]:
        return np.arange(0), []
    if options["null_method"] == "shifts":
        rows = np.arange(len(episode))
        return rows, [swaps.shift(episode, rng) for _ in range(options["n_null"])]
    if min(len(np.unique(episode[rows])) for rows in parts) < swaps.MIN_EPISODES:
        return np.arange(0), []
    groups = [rows[block] for rows in parts for block in swaps.blocks(episode[rows])]
    return swaps.identity(groups), [swaps.draw(groups, rng) for _ in range(options["n_null"])]


def p_values(null, observed):
    """p [U] of `observed` [U] against null [draws, U]; NaN where either is."""
    known = np.isfinite(observed) & np.isfinite(null).all(axis=0)
    return np.where(known, swaps.p_value(null, observed, "high"), np.nan)
