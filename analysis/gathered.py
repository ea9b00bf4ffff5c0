"""What single trainings left, put into tables with their run and seed.

The paths `results/{run}/seed{n}/...` say which run and seed a file belongs to.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import seeds
from analysis.rows import UNTRAINED
from dreamer import trajectory
from jobs import files

COLUMNS = [*seeds.KEYS, "seed", "value", "better", "chance", "chance_name", "control"]
COLUMNS += ["control_name", "p", "told_position"]
NUMBERS = ["value", "chance", "control", "p"]
TEXT = [*seeds.KEYS, "better", "chance_name", "control_name", "told_position"]
TOLD = {True: "yes", False: "no", None: "unknown"}
POINTS = 200  # places along a training at which seeds are compared


def place(path):
    """{run, seed} of a file."""
    seed = int(path.parent.name.removeprefix("seed"))
    return {"run": path.parent.parent.name, "seed": seed}


def scores(paths):
    """One row per run x seed x analysis x layer x representation x score, in the given order.

    `told_position` marks every number of an agent that received its position as an input.
    """
    found, rows = [(path, files.read_json(path)) for path in paths], []
    told = {path.parent: TOLD[record["told_position"]] for path, record in found
            if "told_position" in record}  # fmt: skip
    for path, record in found:
        about = {**place(path), "analysis": path.stem, "told_position": told.get(path.parent)}
        rows += [{**about, **row} for row in record["summary"]]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.astype(dict.fromkeys(NUMBERS, float) | dict.fromkeys(TEXT, "string"))
    named = table["control_name"].fillna(UNTRAINED)
    return table.assign(control_name=named.where(table["control"].notna()))


def curves(paths, draws, seed):
    """Running means of training episodes at POINTS common steps of a run, with mean and interval.

    One row per run x curve x step x seed; the steps are those that every seed of the run has.
    """
    parts = [_curves(path) for path in paths]
    columns = ["run", "curve", "unit", "seed", "step", "value", "mean", "low", "high"]
    if not parts or not sum(map(len, parts)):
        return pd.DataFrame(columns=columns)
    table, made = pd.concat(parts), []
    for (run, curve), group in table.groupby(["run", "curve"], sort=False):
        groups = dict(list(group.groupby("seed")))
        ends = [(item["step"].min(), item["step"].max()) for item in groups.values()]
        first, last = max(low for low, _ in ends), min(high for _, high in ends)
        if first > last:
            continue
        steps = np.linspace(first, last, POINTS)
        values = [np.interp(steps, item["step"], item["smooth"]) for item in groups.values()]
        low, high = seeds.interval(values, draws, seed)
        shared = {"run": run, "curve": curve, "unit": group["unit"].iloc[0], "step": steps}
        shared |= {"mean": np.mean(values, axis=0), "low": low, "high": high}
        pairs = zip(groups, values, strict=True)
        made += [pd.DataFrame(shared | {"seed": name, "value": own}) for name, own in pairs]
    return pd.concat(made, ignore_index=True)[columns] if made else pd.DataFrame(columns=columns)


def write(path, table, csv=None):
    """Write a table as Parquet and, where asked for, as CSV with six significant digits."""
    with files.atomic(path) as temporary:
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary)
    if csv:
        with files.atomic(csv) as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")


def _curves(path):
    table = trajectory.read_log(path, "training_curves")[1]
    table = table[(table["panel"] == "episodes") & (table["curve"] != "cumulative reward")]
    return table.assign(**place(path))
