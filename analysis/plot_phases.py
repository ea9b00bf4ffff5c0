"""Figures of the phases of an agent that learns from data: one of small panels for each."""

from pathlib import Path

from analysis.curve_figures import grid
from dreamer import trajectory
from jobs import cli


def main(spec: Path, curves: Path, figures: list[Path]):
    """Draw one figure per phase, named phase_<name>.svg, from the table alone."""
    cli.options(spec)
    _, table = trajectory.read_log(curves, "training_curves")
    for path in figures:
        name = path.stem.removeprefix("phase_")
        words = f"No metric of the phase {name} was logged."
        grid(table[table["panel"] == name], path, words, "updates of the phase")


if __name__ == "__main__":
    cli.run(main)
