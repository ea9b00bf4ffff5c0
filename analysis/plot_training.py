"""Figures of training: learning curves, losses of the world model, achievements."""

from pathlib import Path

import numpy as np

from analysis import style
from dreamer import trajectory
from jobs import cli, files

PLT = style.plt
NAMES = {
    "rec": "image reconstruction",
    "rew": "reward",
    "con": "continuation",
    "dyn": "dynamics (prior to posterior)",
    "rep": "representation (posterior to prior)",
    "score": "episode score",
    "length": "episode length",
}


def grid(table, svg, empty):
    """One small panel per curve of a long-form table: thin line values, thick line running mean."""
    if not len(table):
        return style.sentence(svg, empty)
    parts = list(table.groupby("curve", sort=False))
    columns = min(3, len(parts))
    rows = -(-len(parts) // columns)
    figure, axes = PLT.subplots(rows, columns, figsize=(3.4 * columns, 2.5 * rows), squeeze=False)
    for axis, (name, part) in zip(axes.flat, parts, strict=False):
        line(axis, part)
        axis.set(title=NAMES.get(name, name), ylabel=part["unit"].iloc[0])
    for axis in axes.flat[len(parts) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, len(parts) - columns) : len(parts)]:
        axis.set_xlabel("environment steps")
    style.save(figure, svg)


def line(axis, part):
    """One curve; a logarithmic axis where it spans more than a factor of 20 above zero."""
    axis.plot(part["step"], part["value"], color=style.SKY, linewidth=0.6, alpha=0.7)
    axis.plot(part["step"], part["smooth"], color=style.BLUE, linewidth=2)
    low, high = part["smooth"].min(), part["smooth"].max()
    if low > 0 and high > 20 * low:
        axis.set_yscale("log")
    axis.xaxis.set_major_formatter(style.thousands())


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


def main(
    spec: Path, curves: Path, scores: Path, learning_curves: Path, losses: Path, achievements: Path
):
    """Draw the figures from the tables alone."""
    cli.options(spec)
    _, table = trajectory.read_log(curves, "training_curves")
    found = files.read_json(scores)
    episodes = table[(table["panel"] == "episodes") & (table["curve"] != "cumulative reward")]
    grid(episodes, learning_curves, "There are no scores of training episodes to draw.")
    model = table[table["panel"] == "world model"]
    grid(model, losses, "No losses were logged or asked for.")
    draw_achievements(found["unlock_rates"], found["episodes"], achievements)


if __name__ == "__main__":
    cli.run(main)
