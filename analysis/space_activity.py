"""Activity over space: what some units of the belief do along the paths of example episodes.

In the shapes, T is steps, U units.
"""

import numpy as np

from analysis import ground_map, path_figures, recording, style

UNITS = 4  # of each layer
EPISODES = 6  # the longest
EPS = 1e-6
ACTIVE = 0.05  # share of steps off the median above which a unit counts as active
EDGES = (1, 99)  # percentiles of the colours' ends
NOTHING = "No unit of the belief is active in these episodes."


def draw(found, options, svg):
    """A row per belief layer, a panel per unit: every step as a dot, coloured by activity."""
    rows, total = longest(found.table)
    units = {}
    for name, parts in recording.representations(found.header["layers"], combined=False).items():
        if is_belief(name, found.header["layers"][name]):
            activity = recording.activity(found.path, parts, rows=rows.index.to_numpy())
            chosen = choose(activity, [options["seed"], len(units)])
            units[name] = {unit: activity[:, unit] for unit in chosen}
    units = {name: chosen for name, chosen in units.items() if chosen}
    if not units:
        style.sentence(svg, NOTHING)
        return ""
    shape = len(units), max(map(len, units.values()))
    size = (2.6 * max(1.6, shape[1]), 2.2 * shape[0] + 0.6)
    same = {"sharex": True, "sharey": True, "squeeze": False}
    figure, axes = style.plt.subplots(*shape, figsize=size, **same)
    for line, (name, chosen) in zip(axes, units.items(), strict=True):
        for axis in line[len(chosen) :]:
            axis.set_axis_off()
        for axis, (unit, values) in zip(line, chosen.items(), strict=False):
            _unit(axis, found, rows, values)
            axis.set_title(f"{name}, unit {unit}")
    figure.suptitle(f"activity at every step of {total}{found.words}", fontsize=11)
    figure.supxlabel("x (tiles)", fontsize=10)
    figure.supylabel("y (tiles)", fontsize=10)
    style.save(figure, svg)
    return f"Shown: {total}."


def longest(table):
    """(steps of the longest episodes, words)."""
    lengths = table.groupby("episode").size().sort_values(ascending=False, kind="stable")
    rows = table[table["episode"].isin(lengths.index[:EPISODES])]
    few = "the only episode" if len(lengths) == 1 else f"all {len(lengths)} episodes"
    words = few if len(lengths) <= EPISODES else f"the {EPISODES} longest episodes"
    return rows, f"{words} ({len(rows):,} steps)"


def is_belief(name, entry):
    """Whether a layer is part of the belief."""
    return entry.get("belief", name.startswith("dyn"))


def choose(activity, seed):
    """Ascending indices of at most UNITS units of activity [T, U], drawn from the active ones."""
    finite = np.isfinite(activity).all(axis=0)
    known = np.where(finite, activity, 0)
    away = np.abs(known - np.median(known, axis=0)) > EPS
    active = np.flatnonzero(finite & (away.mean(axis=0) >= ACTIVE))
    rng = np.random.default_rng(seed)
    return sorted(rng.choice(active, min(UNITS, len(active)), replace=False).tolist())


def _unit(axis, found, rows, values):
    style.map_axes(axis, found.header["area"])
    path_figures.draw_walls(axis, found)
    points = rows[["x", "y"]].to_numpy(float)
    shifts = np.random.default_rng(0).uniform(-0.3, 0.3, points.shape)
    low, high = np.percentile(values, EDGES)
    ends = {"vmin": low, "vmax": max(high, low + EPS)}
    dots = {"s": 5, "linewidths": 0, "rasterized": True}
    picture = axis.scatter(*(points + shifts).T, c=values, cmap=style.HEAT, **ends, **dots)
    ground_map.zoom(axis, points, found.header["area"])
    axis.set(xlabel="", ylabel="")
    axis.figure.colorbar(picture, ax=axis, shrink=0.7, pad=0.02)
