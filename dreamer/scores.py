"""Numbers of an evaluation: the form of one, ranks, intervals. All in numpy, without JAX."""

import numpy as np
from scipy import stats

DRAWS = 2000
SEEDS = 3  # under these, an interval over seeds would say nothing


def row(score, value, unit, better, chance=None, chance_name=None):
    """One number of a summary beside its chance level, floor or ceiling; `better` is low or high.

    The fields are those of analysis.rows, which the report reads.
    """
    found = {"score": score, "value": _plain(value), "unit": unit, "better": better}
    found |= {"chance": _plain(chance), "chance_name": chance_name}
    return {**found, **dict.fromkeys(("layer", "representation", "control", "p"))}


def auroc(score, event):
    """Chance that an event has a higher score than a non-event, ties half; NaN without both."""
    event = np.asarray(event, bool)
    yes, no = int(event.sum()), int((~event).sum())
    if not yes or not no:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[event].sum() - yes * (yes + 1) / 2) / (yes * no))


def pearson(one, other):
    """Correlation; NaN where one of them does not vary, or of nothing."""
    if not len(one) or min(np.ptp(one), np.ptp(other)) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def calibration(expected, found, bins=10):
    """[{expected, found, count}] of equally filled bins of what was expected."""
    order = np.argsort(expected, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        {"expected": float(expected[part].mean()), "found": float(found[part].mean()),
         "count": len(part)}
        for part in parts
    ]  # fmt: skip


def interval(units, statistic=lambda means: means, seed=0):
    """(low, high) at 95% of statistic(mean of `units` [N, ...]): percentiles of the bootstrap.

    `statistic` maps means [draws, ...] to [draws].
    """
    units = np.asarray(units, float)
    if len(units) < 2:
        return float("nan"), float("nan")
    chosen = np.random.default_rng(seed).integers(len(units), size=(DRAWS, len(units)))
    drawn = statistic(units[chosen].mean(1))
    return tuple(float(end) for end in np.quantile(drawn, (0.025, 0.975)))


def by_seed(values, seeds):
    """What to draw from: the mean [...] of each seed of `values` [N, ...], or, of less than SEEDS
    seeds, the values themselves."""
    known = np.unique(seeds)
    if len(known) < SEEDS:
        return np.asarray(values, float)
    return np.stack([np.asarray(values, float)[seeds == seed].mean(0) for seed in known])


def decibel(error):
    """Peak signal-to-noise ratio in dB of mean squared errors on the scale 0 to 1; at most 100."""
    return -10 * np.log10(np.maximum(error, 1e-10))


def frechet(one, other):
    """Fréchet distance of two clouds [N, K] taken as Gaussian (Dowson and Landau 1982)."""
    shift = one.mean(0) - other.mean(0)
    first, second = (np.atleast_2d(np.cov(cloud, rowvar=False)) for cloud in (one, other))
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ second @ root)
    overlap = np.sqrt(np.maximum(mixed, 0)).sum()
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * overlap)


def _plain(value):
    return None if value is None else float(value)
