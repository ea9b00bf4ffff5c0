"""Figures of tuning: the best maps of each layer, information against explained variance, layers.

In the shapes, U is units, W x H the world in tiles.
"""

from pathlib import Path

import numpy as np

from analysis import layer_figures, style
from dreamer import trajectory
from jobs import cli

PLT = style.plt
BEST = 6  # maps shown per layer
MASKED, MINUS = "#e4e4e4", "\N{MINUS SIGN}"
NOTHING = "No unit of any layer varies, so there is no tuning to draw."


def draw_best(table, maps, header, svg):
    """The BEST maps of each layer with their value and what swaps reach for the same unit."""
    # Explained variance has a ceiling; a difference of two very negative ones, a gain, has none.
    explained = np.isfinite(table["ev_place"]).any()
    column, words = ("ev_place", "variance explained") if explained else ("si", "information")
    table = table[np.isfinite(table[column]) & ~table["dead"]]
    layers = [name for name in maps if name in set(table["layer"])]
    if not layers:
        return style.sentence(svg, NOTHING)
    size = (1.35 * BEST + 1.4, 1.55 * len(layers) + 0.9)
    figure, axes = PLT.subplots(len(layers), BEST, figsize=size, squeeze=False)
    best_chance = layer_figures.chances(header, "variance explained by position, best unit")
    for row, name in zip(axes, layers, strict=True):
        part = table[table["layer"] == name].nlargest(BEST, column)
        for axis, (_, unit) in zip(row, part.iterrows(), strict=False):
            draw_map(axis, maps[name][unit["row"]])
            axis.set_title(label(unit, column), fontsize=7.5)
        for axis in row[len(part) :]:
            axis.set_axis_off()
        luck = f"\nbest by chance\n{best_chance[name]:.2f}" if name in best_chance else ""
        luck = luck.replace("-", MINUS)
        row[0].set_ylabel(f"{name}{luck}", rotation=0, ha="right", va="center", fontsize=9)
    figure.supxlabel(
        "mean activity per tile, dark = lowest, bright = highest of each map; grey: too few steps\n"
        "maps use all steps, numbers the episodes as the swaps cut them",
        fontsize=9,
    )
    figure.suptitle(f"Best units of each layer by {words} in held-out episodes", fontsize=11)
    style.save(figure, svg)


def label(unit, column):
    """A unit's index, its value and the mean value of its swaps."""
    chance = unit[f"{column}_null"]
    beside = "" if np.isnan(chance) else f", swaps {chance:.2f}"
    return f"unit {unit['unit']}\n{unit[column]:.2f}{beside}".replace("-", MINUS)


def draw_map(axis, rates):
    """A map [W, H] cropped to its unmasked tiles."""
    known = np.argwhere(np.isfinite(rates))
    low, high = (known.min(0), known.max(0) + 1) if len(known) else (np.zeros(2, int), rates.shape)
    part = rates[low[0] : high[0], low[1] : high[1]].T
    axis.set_facecolor(MASKED)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.imshow(part, interpolation="nearest")


def main(
    spec: Path, tuning: Path, maps: Path, best_maps: Path, si_ev_scatter: Path, layer_summary: Path
):
    """Draw the figures from the tables alone."""
    cli.options(spec)
    header, table = trajectory.read_log(tuning, "tuning")
    table = layer_figures.compared(table)
    table["row"] = table.groupby("layer", sort=False).cumcount()
    with np.load(maps) as stored:
        found = {name: stored[name] for name in dict.fromkeys(table["layer"])}
    draw_best(table, found, header, best_maps)
    layer_figures.scatter(table, header, si_ev_scatter)
    layer_figures.summary(table, header, layer_summary)


if __name__ == "__main__":
    cli.run(main)
