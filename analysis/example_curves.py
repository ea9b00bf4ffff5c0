"""Examples of each layer's tuning: the best unit of every class that it has, then the next best.

In the shapes, U is units, W x H the world in tiles.
"""

import numpy as np
import pandas as pd

from analysis import layer_figures, style
from analysis.cell_rules import HEAD, TUNED
from dreamer.trajectory import FACINGS

PLT = style.plt
SHOWN = 6  # units per layer
BESIDE = 2  # units of the untrained network, right of a gap
MASKED, MINUS = "#e4e4e4", "\N{MINUS SIGN}"
NOTHING = "No unit of any layer varies, so there is no tuning to draw."
ARROWS = "\N{LEFTWARDS ARROW}\N{RIGHTWARDS ARROW}\N{UPWARDS ARROW}\N{DOWNWARDS ARROW}"


def draw(table, maps, summary, svg):
    """A row of SHOWN units per layer: maps, of head-direction cells the mean per facing.

    `table` and `maps` {network: {layer: [U, W, H]}} may hold an untrained network too, whose best
    units stand beside them.
    """
    explained = np.isfinite(table["ev_place"]).any()
    column = "ev_place" if explained else "si"
    table = table[np.isfinite(table[column]) & ~table["dead"]]
    trained, other = (table[table["network"] == name] for name in ("trained", "untrained"))
    layers = [name for name in maps["trained"] if name in set(trained["layer"])]
    if not layers:
        return style.sentence(svg, NOTHING)
    figure, axes = grid(len(layers), "untrained" in maps)
    best = layer_figures.chances(summary, "variance explained by position, best unit")
    for row, name in zip(axes, layers, strict=True):
        _units(row[:SHOWN], trained[trained["layer"] == name], maps["trained"][name], column)
        if "untrained" in maps:
            row[SHOWN].set_axis_off()
            units = other[other["layer"] == name]
            _units(row[SHOWN + 1 :], units, maps["untrained"][name], column)
        luck = f"\nbest by chance\n{best[name]:.2f}" if name in best else ""
        luck = luck.replace("-", MINUS)
        row[0].set_ylabel(f"{name}{luck}", rotation=0, ha="right", va="center", fontsize=9)
    figure.supxlabel(
        "maps: mean activity per tile, dark = lowest, bright = highest; grey: too few steps\n"
        "bars: mean activity when facing left, right, up, down, from the lowest up\n"
        "maps use all steps, numbers the episodes as the swaps cut them",
        fontsize=8,
    )
    words = "variance explained in held-out episodes" if explained else "information"
    beside = "; at the right the untrained network" if "untrained" in maps else ""
    figure.suptitle(f"Best unit of each class, then the next best: {words}{beside}", fontsize=11)
    style.save(figure, svg)


def grid(rows, beside):
    """Figure and axes [rows, SHOWN], with a gap and BESIDE more where there is a control."""
    widths = [1] * SHOWN + ([0.2] + [1] * BESIDE if beside else [])
    size = (1.35 * sum(widths) + 1.4, 1.75 * rows + 0.9)
    shape = {"figsize": size, "squeeze": False, "width_ratios": widths}
    return PLT.subplots(rows, len(widths), **shape)


def chosen(units, column):
    """The best of each class in the order of TUNED, then the best of the rest by `column`."""
    rank = np.where(units["class"] == HEAD, units["ev_facing"].fillna(-np.inf), units[column])
    units = units.assign(rank=rank).sort_values("rank", ascending=False, kind="stable")
    tuned = units[units["class"].isin(TUNED)]
    first = tuned.groupby("class", sort=False).head(1)
    first = first.sort_values("class", key=lambda kinds: kinds.map(TUNED.index), kind="stable")
    rest = units.drop(first.index).sort_values(column, ascending=False, kind="stable")
    return pd.concat([first, rest]).head(SHOWN)


def label(unit, column):
    """A unit's index and class, its value and the mean value of its swaps."""
    column = "ev_facing" if unit["class"] == HEAD and column == "ev_place" else column
    chance = unit[f"{column}_null"]
    beside = "" if np.isnan(chance) else f", swaps {chance:.2f}"
    value = f"{unit[column]:.2f}{beside}".replace("-", MINUS)
    network = "untrained, " if unit["network"] == "untrained" else ""
    return f"{network}unit {unit['unit']}\n{unit['class']}\n{value}"


def _units(axes, table, maps, column):
    """The chosen units of one layer of one network."""
    units = chosen(table, column).head(len(axes))
    for axis, (_, unit) in zip(axes, units.iterrows(), strict=False):
        _unit(axis, unit, maps, column)
    for axis in axes[len(units) :]:
        axis.set_axis_off()


def _unit(axis, unit, maps, column):
    if unit["class"] == HEAD:
        draw_facing(axis, unit)
    else:
        draw_map(axis, maps[unit["row"]])
    axis.set_title(label(unit, column), fontsize=7)


def draw_map(axis, rates):
    """A map [W, H] cropped to its unmasked tiles."""
    known = np.argwhere(np.isfinite(rates))
    low, high = (known.min(0), known.max(0) + 1) if len(known) else (np.zeros(2, int), rates.shape)
    part = rates[low[0] : high[0], low[1] : high[1]].T
    axis.set_facecolor(MASKED)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.imshow(part, interpolation="nearest")


def draw_facing(axis, unit):
    """Mean activity when facing each way, above the lowest of the four."""
    values = np.array([unit[f"facing_{name}"] for name in FACINGS], float)
    height = np.nan_to_num(values - np.nanmin(values)) if np.isfinite(values).any() else values * 0
    axis.bar(range(4), height, color=style.RED)
    axis.set_xticks(range(4), list(ARROWS), fontsize=8)
    axis.set(yticks=[], box_aspect=1)
    axis.spines["left"].set_visible(False)
