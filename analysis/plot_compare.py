"""Figures over runs and seeds: decoding by layer, kinds of cells, learning curves."""

from pathlib import Path

import pandas as pd

from analysis import seed_figures, style
from analysis.cell_rules import TUNED
from jobs import cli

ERROR = "mean Euclidean error"
DECODING = (ERROR, "top-1 accuracy", "cross-entropy")
WELL = "well-tuned units"
NOTHING = "No layer was decoded, so there is nothing to draw."
NO_CLASSES = "No unit could be classified, so there are no shares to draw."


def main(
    spec: Path,
    summary: Path,
    intervals: Path,
    learning: Path,
    decoding_seeds: Path,
    tuning_seeds: Path,
    learning_seeds: Path,
):
    """Draw the figures from the tables alone."""
    cli.options(spec)
    table, means = (pd.read_parquet(path) for path in (summary, intervals))
    looks = seed_figures.colours(table)
    draw_decoding(table, means, looks, decoding_seeds)
    draw_tuning(table, means, looks, tuning_seeds)
    seed_figures.learning(pd.read_parquet(learning), looks, learning_seeds)


def draw_decoding(table, means, looks, svg):
    """Position decoding by layer; by the classifier where there is one, else by ridge."""
    table, means = (item[item["analysis"] == "position"] for item in (table, means))
    known = list(dict.fromkeys(table.loc[table["score"] == ERROR, "representation"].dropna()))
    if not known:
        return style.sentence(svg, NOTHING)
    method = next((name for name in known if name.startswith("robust")), known[0])
    table, means = (item[item["representation"] == method] for item in (table, means))
    scores = [(score, f"{score}\n({method})") for score in DECODING]
    seed_figures.layered(table, means, scores, looks, svg, NOTHING)


def draw_tuning(table, means, looks, svg):
    """Shares of units of each class and of well-tuned ones, by layer."""
    table, means = (item[item["analysis"] == "cell_classes"] for item in (table, means))
    names = list(dict.fromkeys(table["score"]))
    shares = [name for name in names if name == WELL or name.split(" (")[0] in TUNED]
    seed_figures.layered(table, means, [(name, name) for name in shares], looks, svg, NO_CLASSES)


if __name__ == "__main__":
    cli.run(main)
