"""Learning curves of all tasks: a panel per task, a line per run, a band over its seeds."""

from pathlib import Path

import pandas as pd

from analysis import seed_figures, style
from jobs import cli

PLT = style.plt
COLUMNS = 3


def main(spec: Path, learning: Path, learning_tasks: Path):
    """Draw the figure from the table alone."""
    options = cli.options(spec)
    tasks = {run: options["tasks"][run] for run in options["runs"]}
    table = pd.read_parquet(learning)
    draw(table[table["curve"] == "score"], tasks, learning_tasks)


def draw(table, tasks, svg):
    """`tasks` {run: task}, in their order; runs of one task share its panel."""
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
        axis.set(title=name, ylabel=own["unit"].iloc[0], xlabel="environment steps")
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    seed_figures.legend(figure, axes.flat[: len(names)])
    seed_figures.explain(figure, table)
    style.save(figure, svg)


if __name__ == "__main__":
    cli.run(main)
