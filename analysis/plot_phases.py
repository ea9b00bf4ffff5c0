"""Figures of the phases of an agent that learns from data: one of small panels for each."""

from pathlib import Path

from analysis.curve_figures import HELD_OUT, everything, grid
from analysis.curves import INNER
from dreamer import trajectory
from jobs import cli


def logged(table):
    """The curves under the names of the logs, with the phase in front."""
    held = table["curve"].str.startswith(HELD_OUT)
    phase = table["panel"].str.removesuffix(INNER) + ": "
    names = phase + table["curve"].str.removeprefix(HELD_OUT)
    return table.assign(curve=names.mask(held, HELD_OUT + names))


def main(spec: Path, curves: Path, figures: list[Path], phase_metrics: Path):
    """Draw one figure per phase, named phase_<name>.svg, and all metrics, from the table alone."""
    cli.options(spec)
    _, table = trajectory.read_log(curves, "training_curves")
    for path in figures:
        name = path.stem.removeprefix("phase_")
        words = f"No metric of the phase {name} was logged."
        grid(table[table["panel"] == name], path, words, "updates of the phase")
    everything(logged(table), phase_metrics, "updates of the phase")


if __name__ == "__main__":
    cli.run(main)
