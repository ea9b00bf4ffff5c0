"""How fast are rate maps and spatial information of many units, beside pynapple?

`python -m bench.tuning` times both on the same data in one process, checks that they agree, and
prints the ratio of the warm medians as its last line.
"""

import json
import statistics
import time

import numpy as np
import pynapple as nap

from analysis import information, rate_maps
from analysis.unit_metrics import Behaviour, Study

UNITS, STEPS, SIDE, EPISODES = 512, 15_900, 64, 60
OPTIONS = {
    "min_occupancy": 5, "transform": "minshift", "active_eps": 1e-6, "min_active": 200,
    "n_null": 5, "seed": 0,
}  # fmt: skip


def data(seed=0):
    """x, y [T] of a random walk and non-negative activity [T, U]."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-1, 2, (2, STEPS)).cumsum(axis=1)
    x, y = np.abs((steps + SIDE // 2) % (2 * SIDE) - SIDE).clip(0, SIDE - 1)
    return x, y, rng.random((STEPS, UNITS))


def ours(x, y, activity):
    """(rates [B, U], information [U])."""
    place = rate_maps.tiles(x, y, (SIDE, SIDE))
    rates = rate_maps.means(activity, place, SIDE * SIDE)
    return rates, information.skaggs(rates, rate_maps.occupancy(place, SIDE * SIDE))


def theirs(place, activity):
    """The same by pynapple, from its own objects."""
    edges = [(-0.5, SIDE - 0.5)] * 2
    curves = nap.compute_tuning_curves(activity, place, bins=[SIDE, SIDE], range=edges)
    rates = activity.values.mean(axis=0)
    return curves, nap.compute_mutual_information(curves, rates=rates)["bits/spike"].to_numpy()


def median(function, repeats=7):
    """Median seconds of a call after one that warms up, and its last result."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), found


def null_seconds(x, y, activity):
    """Seconds per draw of the whole-episode null, all metrics of all units."""
    rng, episode = np.random.default_rng(1), np.arange(STEPS) * EPISODES // STEPS
    behaviour = Behaviour(
        rate_maps.tiles(x, y, (SIDE, SIDE)), rng.integers(0, 4, STEPS),
        rng.integers(0, 17, STEPS), episode % 5,
    )  # fmt: skip
    start = time.perf_counter()
    Study(behaviour, episode, (SIDE, SIDE), OPTIONS).units(activity, OPTIONS)
    return (time.perf_counter() - start) / (OPTIONS["n_null"] + 2)


def main():
    """Time, compare, print."""
    x, y, activity = data()
    times = np.arange(STEPS, dtype=float)
    place = nap.TsdFrame(t=times, d=np.stack([x, y], 1).astype(float), columns=["x", "y"])
    frame = nap.TsdFrame(t=times, d=activity)
    quick, (rates, bits) = median(lambda: ours(x, y, activity))
    slow, (curves, reference) = median(lambda: theirs(place, frame))
    maps = rates.T.reshape(-1, SIDE, SIDE)
    np.testing.assert_allclose(maps, curves.values, rtol=1e-6)
    np.testing.assert_allclose(bits, reference, rtol=1e-6)
    print(f"{UNITS} units, {STEPS:,} steps, {SIDE} x {SIDE} tiles; equal to 1e-6")
    per_draw = null_seconds(x, y, activity)
    print(
        json.dumps(
            {
                "pynapple_s": round(slow, 4),
                "ours_s": round(quick, 4),
                "all_metrics_per_draw_s": round(per_draw, 3),
                "ratio": round(slow / quick, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
