"""Figures of tuning: examples of each layer, information against explained variance, cell types.

In the shapes, U is units, W x H the world in tiles.
"""

from pathlib import Path

import numpy as np

from analysis import class_figures, example_curves, layer_figures, style
from dreamer import trajectory
from jobs import cli


def main(
    spec: Path,
    tuning: Path,
    maps: Path,
    classes: Path,
    example_tuning_curves: Path,
    si_ev_scatter: Path,
    layer_summary: Path,
    cell_types: Path,
):
    """Draw the figures from the tables alone."""
    cli.options(spec)
    figures = (example_tuning_curves, si_ev_scatter, layer_summary, cell_types)
    measured, table = trajectory.read_log(tuning, "tuning")
    named, kinds = trajectory.read_log(classes, "cell_classes")
    empty = None if measured.get("placed", True) else "The recording has no positions."
    if not named["options"]["plots"]:
        empty = "Figures of tuning are switched off (cell_classes.plots)."
    if empty:
        for svg in figures:
            style.sentence(svg, empty)
        return
    table = layer_figures.compared(table).assign(**{"class": kinds["class_cut"]})
    table["row"] = table.groupby(["network", "layer"], sort=False).cumcount()
    found = {}
    with np.load(maps) as stored:
        for network, layer in dict.fromkeys(zip(table["network"], table["layer"], strict=True)):
            name = layer if network == "trained" else f"{network}:{layer}"
            found.setdefault(network, {})[layer] = stored[name]
    example_curves.draw(table, found, measured["summary"], example_tuning_curves)
    layer_figures.scatter(table, measured["summary"], si_ev_scatter)
    summary = measured["summary"] + named["summary"]
    gains = dict.fromkeys(row["score"] for row in summary if row["score"].startswith("units with "))
    layer_figures.summary(table, summary, list(gains), layer_summary)
    scores = class_figures.scored(named["summary"])
    class_figures.draw(named["summary"], scores, cell_types)


if __name__ == "__main__":
    cli.run(main)
