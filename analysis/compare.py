"""How do runs and seeds compare, and how sure can one be?

The training run is the unit of inference: intervals are bootstrapped over seeds, never over units,
steps or episodes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jobs import cli, files

KEYS = ["run", "analysis", "score", "layer", "representation", "unit"]
COLUMNS = [*KEYS, "seed", "value", "better", "chance", "chance_name", "control"]
TEXT = ["run", "analysis", "score", "layer", "representation", "unit", "better", "chance_name"]


def gather(scores):
    """One row per run x seed x analysis x layer x representation x score, in the given order.

    The paths `results/{run}/seed{n}/{analysis}.json` say which run and seed a file belongs to.
    """
    rows = []
    for path in map(Path, scores):
        place = {"run": path.parent.parent.name, "seed": int(path.parent.name.removeprefix("seed"))}
        found = files.read_json(path)["summary"]
        rows += [{**place, "analysis": path.stem, **row} for row in found]
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = ["value", "chance", "control"]
    return table.astype(dict.fromkeys(numbers, float) | dict.fromkeys(TEXT, "string"))


def intervals(table, draws, seed):
    """Mean over seeds with a bootstrapped 95% interval, one row per score; NaN under 3 seeds."""
    rows = []
    for key, group in table.groupby(KEYS, dropna=False, sort=False):
        values = group["value"].to_numpy(float)
        low, high = bootstrap(values, draws, seed)
        chance, control = group["chance"].mean(), group["control"].mean()
        rows.append([*key, len(values), np.mean(values), low, high, chance, control])
    return pd.DataFrame(rows, columns=[*KEYS, "seeds", "mean", "low", "high", "chance", "control"])


def bootstrap(values, draws, seed):
    """95% percentile interval of the mean of `values` [seeds]; NaN where none can be given."""
    if len(values) < 3 or not np.isfinite(values).all():
        return np.nan, np.nan
    picks = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def main(spec: Path, scores: list[Path], summary: Path, csv: Path, intervals_csv: Path):
    """Gather the scores of all runs and seeds into tables."""
    options = cli.options(spec)
    table = gather(scores)
    with files.atomic(summary) as temporary:
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary)
    over_seeds = intervals(table, options["bootstrap_draws"], options["bootstrap_seed"])
    for path, frame in ((csv, table), (intervals_csv, over_seeds)):
        with files.atomic(path) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")


if __name__ == "__main__":
    cli.run(main)
