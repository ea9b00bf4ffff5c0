"""How fast are rate maps, information and their null for many units, beside pynapple?

`python -m bench.tuning` times both in turn on the same data in one process, checks that they agree,
and prints the ratios of the warm medians, by the clock and in processor time, as its last line.
"""

import json
import statistics
import time

import numpy as np
import pynapple as nap

from analysis import information, rate_maps, swaps
from analysis.study import Study
from analysis.unit_metrics import Behaviour

UNITS, STEPS, SIDE, EPISODES, REPEATS = 512, 15_900, 64, 60, 9
OPTIONS = {
    "min_occupancy": 5, "transform": "minshift", "active_eps": 1e-6, "min_active": 200,
    "n_null": 10, "null_method": "swaps", "seed": 0,
}  # fmt: skip


def data(seed=0):
    """x, y [T] of a random walk and non-negative activity [T, U]."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-1, 2, (2, STEPS)).cumsum(axis=1)
    x, y = np.abs((steps + SIDE // 2) % (2 * SIDE) - SIDE).clip(0, SIDE - 1)
    return x, y, rng.random((STEPS, UNITS))


def ours(x, y, activity):
    """(bins, rates on the visited tiles [B, U], information [U])."""
    place = rate_maps.binned(rate_maps.tiles(x, y, (SIDE, SIDE)))
    rates = place.means(activity)
    return place, rates, information.skaggs(rates, place.steps)


def theirs(place, activity):
    """The same by pynapple, from its own objects."""
    edges = [(-0.5, SIDE - 0.5)] * 2
    curves = nap.compute_tuning_curves(activity, place, bins=[SIDE, SIDE], range=edges)
    rates = activity.values.mean(axis=0)
    return curves, nap.compute_mutual_information(curves, rates=rates)["bits/spike"].to_numpy()


def positions(times, x, y):
    """Positions [T] as pynapple has them."""
    return nap.TsdFrame(t=times, d=np.stack([x, y], 1).astype(float), columns=["x", "y"])


def timed(pairs):
    """Median seconds {name: (by the clock, of the processor)} of calls made in turn, after one."""
    for function in pairs.values():
        function()
    seconds = {name: [] for name in pairs}
    for _ in range(REPEATS):
        for name, function in pairs.items():
            start = time.perf_counter(), time.process_time()
            function()
            end = time.perf_counter(), time.process_time()
            seconds[name].append([b - a for a, b in zip(start, end, strict=True)])
    return {name: [statistics.median(item) for item in zip(*found, strict=True)]
            for name, found in seconds.items()}  # fmt: skip


def all_metrics(x, y, activity, rng):
    """Processor seconds per draw of the whole-episode null: every metric of all units."""
    episode = np.arange(STEPS) * EPISODES // STEPS
    behaviour = Behaviour(
        rate_maps.tiles(x, y, (SIDE, SIDE)), rng.integers(0, 4, STEPS), rng.integers(0, 17, STEPS),
        np.stack([x + 1, SIDE - x, y + 1, SIDE - y], 1), episode % 5,
    )  # fmt: skip
    seconds = []
    for draws in (1, 1 + OPTIONS["n_null"]):
        options = OPTIONS | {"n_null": draws}
        study, start = Study(behaviour, episode, (SIDE, SIDE), options), time.process_time()
        study.units(activity.astype("float32"))
        seconds.append(time.process_time() - start)
    return (seconds[1] - seconds[0]) / OPTIONS["n_null"]


def main():
    """Time, compare, print."""
    (x, y, activity), rng = data(), np.random.default_rng(1)
    times = np.arange(STEPS, dtype=float)
    frame, place = nap.TsdFrame(t=times, d=activity), positions(times, x, y)
    rows = swaps.draw(swaps.blocks(np.arange(STEPS) * EPISODES // STEPS), rng)
    swapped = positions(times, x[rows], y[rows])
    seconds = timed(
        {
            "ours": lambda: ours(x, y, activity),
            "pynapple": lambda: theirs(place, frame),
            "ours, a draw": lambda: ours(x[rows], y[rows], activity),
            "pynapple, a draw": lambda: theirs(swapped, frame),
        }
    )
    (found, rates, bits), (curves, reference) = ours(x, y, activity), theirs(place, frame)
    maps = rate_maps.spread(rates, found.bins, (SIDE, SIDE))
    np.testing.assert_allclose(maps, curves.values, rtol=1e-6)
    np.testing.assert_allclose(bits, reference, rtol=1e-6)
    counts = curves.attrs["occupancy"].reshape(-1)
    np.testing.assert_array_equal(counts[found.bins], found.steps)
    print(f"{UNITS} units, {STEPS:,} steps, {SIDE} x {SIDE} tiles; equal to 1e-6")
    result = {f"{name}_s".replace(", a ", "_"): round(item[0], 4) for name, item in seconds.items()}
    for words, ending in (("ratio", ""), ("ratio_draw", ", a draw")):
        slow, quick = seconds["pynapple" + ending], seconds["ours" + ending]
        result |= {
            words: round(slow[0] / quick[0], 1),
            words + "_cpu": round(slow[1] / quick[1], 1),
        }
    result["all_metrics_per_draw_cpu_s"] = round(all_metrics(x, y, activity, rng), 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
