"""Figures of training: learning curves, losses of the world model, achievements."""

from pathlib import Path

import numpy as np

from analysis import style
from analysis.curve_figures import everything, grid
from dreamer import trajectory
from jobs import cli, files

PLT = style.plt


def draw_achievements(rates, episodes, svg):
    """Share of training episodes with each achievement, on a logarithmic axis; never = no dot."""
    if not rates:
        return style.sentence(svg, "No achievements were counted, so there is nothing to draw.")
    names = sorted(rates, key=lambda name: (rates[name], name))
    values, least = np.array([rates[name] for name in names]), 100 / episodes
    figure, axis = PLT.subplots(figsize=(6.4, 0.24 * len(names) + 1))
    height, floor = np.arange(len(names)), least / 2
    seen = values > 0
    axis.hlines(height[seen], floor, values[seen], color=style.SKY, linewidth=3)
    axis.plot(values[seen], height[seen], "o", color=style.BLUE, markersize=6)
    for place in height[~seen]:
        axis.text(floor * 1.1, place, "never", va="center", color=style.GREY, fontsize=8)
    axis.set_yticks(height, [name.replace("_", " ") for name in names])
    axis.set(xscale="log", xlim=(floor, 130), ylim=(-0.7, len(names) - 0.3))
    axis.set_xticks(ticks := [tick for tick in (0.01, 0.1, 1, 10, 100) if tick >= floor])
    axis.set_xticklabels([f"{tick:g}" for tick in ticks])
    axis.set_xlabel(f"share of {episodes:,} training episodes (%)")
    style.save(figure, svg)


def logged(table):
    """The curves under the names of the log, where a loss and another metric may share one."""
    loss = table["panel"].isin(("world model", "behaviour"))
    episode = table["panel"] == "episodes"
    names = table["curve"].mask(loss, "loss/" + table["curve"])
    return table.assign(curve=names.mask(episode, "episode/" + table["curve"]))


def main(
    spec: Path,
    curves: Path,
    scores: Path,
    learning_curves: Path,
    losses: Path,
    achievements: Path,
    all_metrics: Path,
):
    """Draw the figures from the tables alone."""
    cli.options(spec)
    _, table = trajectory.read_log(curves, "training_curves")
    found = files.read_json(scores)
    episodes = table[(table["panel"] == "episodes") & (table["curve"] != "cumulative reward")]
    grid(episodes, learning_curves, "There are no scores of training episodes to draw.")
    model = table[table["panel"] == "world model"]
    grid(model, losses, "No losses were logged or asked for.")
    everything(logged(table), all_metrics)
    draw_achievements(found["unlock_rates"], found["episodes"], achievements)


if __name__ == "__main__":
    cli.run(main)
