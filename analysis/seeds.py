"""How sure can one be over seeds? Means, bootstrapped intervals and paired differences.

The training run is the unit of inference: what is drawn again is a seed, never a unit, a step or
an episode. In the shapes, N is seeds, R numbers that every seed has.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

LEAST = 3
NONE = "Under three seeds no interval can be given."
FEW = (
    "The interval is the bootstrap's over seeds, with percentiles widened for small numbers. It "
    "never reaches beyond the seeds there are, so of normal seeds three cover the truth in 75% of "
    "cases, four in 87%, five in 91%, more in 93 to 95%."
)
SCORE = ["analysis", "score", "layer", "representation", "unit"]
KEYS = ["run", *SCORE]
SUMMED = ["seeds", "mean", "low", "high"]
BETTER, WORSE, OPEN = "better", "worse", "not told apart"


def interval(values, draws, seed):
    """(low, high) [R] of the mean of `values` [N, R] over seeds, at 95%; NaN under LEAST seeds.

    Bootstrap percentiles at Φ(±t √(N / (N - 1))), t Student's 97.5% point with N - 1 degrees:
    Hesterberg, The American Statistician 69 (2015), 371-386.
    """
    values = np.asarray(values, float)
    count = len(values)
    if count < LEAST:
        return np.full((2, *values.shape[1:]), np.nan)
    reach = stats.t.ppf(0.975, count - 1) * np.sqrt(count / (count - 1))
    means = np.tensordot(_weights(count, draws, seed), values, 1)
    return np.quantile(means, stats.norm.cdf([-reach, reach]), axis=0)


@lru_cache
def _weights(count, draws, seed):
    """How much each of `count` seeds counts in each draw [draws, N]; each row sums to one."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), draws) / count


def intervals(table, draws, seed):
    """One row per score: mean over the seeds that have it, interval, mean chance and control."""
    groups = table[table["value"].notna()].sort_values("seed", kind="stable")
    groups = groups.groupby(KEYS, dropna=False, sort=False)
    names = ("better", "chance_name", "control_name", "told_position")
    beside = {name: "first" for name in names if name in table}
    found = groups.agg(beside | {"chance": "mean", "control": "mean"}).reset_index()
    found = found.join(_summed(groups["value"], draws, seed))
    columns = [*KEYS, "better", *SUMMED, "chance", "chance_name", "control", "control_name"]
    return found[columns + [name for name in ("told_position",) if name in found]]


def differences(table, draws, seed):
    """One row per score and pair, trained - untrained and run - run, paired by seed.

    `says` is whether the first of the pair is better, as far as the interval leaves out zero.
    """
    known = table[table["value"].notna()]
    pairs = [_untrained(known)]
    pairs += [_between(known, *runs) for runs in combinations(dict.fromkeys(known["run"]), 2)]
    keys = ["run", "other", *SCORE, "better"]
    groups = pd.concat(pairs).sort_values("seed", kind="stable")
    groups = groups.groupby(keys, dropna=False, sort=False)
    found = groups.size().reset_index()[keys].join(_summed(groups["gap"], draws, seed))
    found["says"] = [_says(*item) for item in found[["better", "low", "high"]].to_numpy()]
    return found.astype({"says": "string"})


def _untrained(table):
    """Each seed's value less that of its untrained network."""
    table = table[table["control"].notna()]
    return table.assign(other=table["control_name"], gap=table["value"] - table["control"])


def _between(table, one, other):
    """Each seed's value in one run less that in another, for the seeds that both have."""
    sides = [table[table["run"] == name] for name in (one, other)]
    paired = sides[0].merge(sides[1], on=[*SCORE, "better", "seed"], suffixes=("", "_other"))
    gap = paired["value"] - paired["value_other"]
    return paired.assign(other=other, gap=gap)[[*KEYS, "better", "seed", "other", "gap"]]


def _summed(groups, draws, seed):
    """SUMMED of each group of values, in the order of the groups."""
    values = [group.to_numpy(float) for _, group in groups]
    counts = np.array([len(item) for item in values], int)
    ends = np.full((len(values), 2), np.nan)
    for count in set(counts.tolist()):
        rows = np.flatnonzero(counts == count)
        ends[rows] = interval(np.stack([values[row] for row in rows], 1), draws, seed).T
    means = [item.mean() for item in values]
    made = zip(SUMMED, (counts, np.array(means, float), *ends.T), strict=True)
    return pd.DataFrame(dict(made))


def _says(better, low, high):
    """What an interval of a difference tells; None where there is none."""
    if np.isnan(low):
        return None
    if low <= 0 <= high:
        return OPEN
    return BETTER if (low > 0) == (better == "high") else WORSE
