"""Learning curves of all tasks: a panel per task, a line per run, a band over its seeds."""

from pathlib import Path

import pandas as pd

from analysis import seed_figures, style
from jobs import cli

PLT = style.plt
COLUMNS = 3


def main(spec: Path, learning: Path, table: Path, learning_tasks: Path):
    """Draw the figure from the curves and the table of scores, which tells chance."""
    options = cli.options(spec)
    tasks = {run: options["tasks"][run] for run in options["runs"]}
    curves = pd.read_parquet(learning)
    chance = pd.read_parquet(table).groupby("task")["chance"].first().dropna()
    draw(curves[curves["curve"] == "score"], tasks, chance, learning_tasks)


def draw(table, tasks, chance, svg):
    """`tasks` {run: task}, in their order; runs of one task share its panel.

    `chance` {task: return of random actions} has those that were evaluated.
    """
    if not len(table):
        return style.sentence(svg, seed_figures.NO_CURVES)
    names = [name for name in dict.fromkeys(tasks.values())
             if any(tasks[run] == name for run in table["run"].unique())]  # fmt: skip
    looks = seed_figures.colours(pd.DataFrame({"run": list(tasks)}))
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    size = (max(6.4, 4 * columns), 3.2 * rows + 0.8)
    figure, axes = PLT.subplots(rows, columns, figsize=size, squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        own = table[table["run"].map(tasks) == name]
        seed_figures.band(axis, own, looks)
        if name in chance:
            axis.axhline(chance[name], label="random actions", **style.CHANCE)
        axis.set(title=name, ylabel=own["unit"].iloc[0], xlabel="environment steps")
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    seed_figures.legend(figure, axes.flat[: len(names)])
    seed_figures.explain(figure, table)
    style.save(figure, svg)


if __name__ == "__main__":
    cli.run(main)
