"""Agents of several families side by side: position from equally many features of like parts."""

from pathlib import Path

import pandas as pd

from analysis import seed_figures
from jobs import cli

SCORES = (
    ("mean Euclidean error", "decoding error"),
    ("variance explained by position, mean of units", "tuning of single units"),
)
NOTHING = "The study has agents of one family alone, so nothing stands side by side."


def main(spec: Path, summary: Path, intervals: Path, families: Path):
    """Draw every part of every run, with chance and untrained network, from the tables alone."""
    cli.options(spec)
    table, means = (pd.read_parquet(path) for path in (summary, intervals))
    looks = seed_figures.colours(table)
    table, means = (item[item["analysis"] == "matched"] for item in (table, means))
    seed_figures.layered(table, means, SCORES, looks, families, NOTHING)


if __name__ == "__main__":
    cli.run(main)
