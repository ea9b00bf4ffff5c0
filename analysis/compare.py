"""How do runs and seeds compare, and how sure can one be?"""

from pathlib import Path

import pandas as pd

from analysis import gathered, seeds
from jobs import cli


def main(
    spec: Path,
    summaries: list[Path],
    summary: Path,
    csv: Path,
    intervals: Path,
    intervals_csv: Path,
    differences: Path,
    differences_csv: Path,
    learning: Path,
    curves: list[Path] = (),
):
    """Join the tables of all runs, and say what holds over their seeds."""
    options = cli.options(spec)
    draws = options["bootstrap_draws"], options["bootstrap_seed"]
    table = pd.concat([pd.read_parquet(path) for path in summaries], ignore_index=True)
    gathered.write(summary, table, csv)
    gathered.write(intervals, seeds.intervals(table, *draws), intervals_csv)
    gathered.write(differences, seeds.differences(table, *draws), differences_csv)
    gathered.write(learning, gathered.curves(curves, *draws))


if __name__ == "__main__":
    cli.run(main)
