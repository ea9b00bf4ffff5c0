"""How many cells of each kind has a layer? Thresholds on the table of units, nothing measured anew.

In the shapes, U is units.
"""

from pathlib import Path

import numpy as np

from analysis import cell_rules, class_scores
from analysis.swaps import KINDS
from dreamer import trajectory
from jobs import cli, files

NEEDED = (
    "ev_place", "ev_both", "spatial_gain", "facing_gain", "action_gain", "border_share",
    "border_contrast", "fields", "cover",
)  # fmt: skip


class Units:
    """The units of one layer of one network: as measured, as the swaps cut them, and swapped."""

    def __init__(self, table, null, null_name):
        """`table` and `null`: the layer's rows of the tables of units and of their swaps."""
        self.null_name = null_name
        self.whole = {name: table[name].to_numpy() for name in table}
        self.whole["faced"] = bool(np.isfinite(self.whole["hd"]).any())
        draws = {name: np.stack(null[name]).T for name in NEEDED if name in null}  # [draws, U]
        self.draws = len(draws["ev_place"]) if draws else 0
        fixed = {name: self.whole[name] for name in ("dead", "finite", "faced")}
        self.null = fixed | draws if self.draws else None
        self.cut = self.whole | {name: self.whole[f"{name}_cut"] for name in NEEDED}
        self.cut = self.cut if self.draws else self.whole


def units(table, null, null_name):
    """{(network, layer): Units}, the trained network first, layers in the order of the table."""
    keys = table.groupby(["network", "layer"], sort=False).groups
    return {key: Units(table.loc[rows], null.loc[rows], null_name) for key, rows in keys.items()}


def named(found, options):
    """{class, class_cut, well_tuned} of all units, one after the other.

    `class_cut` is on the steps that the swaps use, as the shares and figures are.
    """
    whole = [cell_rules.classify(item.whole, options) for item in found]
    cut = [cell_rules.classify(item.cut, options) for item in found]
    well = [cell_rules.well_tuned(item.whole, options) for item in found]
    lists = {"class": whole, "class_cut": cut, "well_tuned": well}
    return {name: np.concatenate(parts) for name, parts in lists.items()}


def main(spec: Path, tuning: Path, null: Path, classes: Path, scores: Path):
    """Name every unit's class; write the table of classes and the fractions with their chance."""
    options = cli.options(spec)
    measured, table = trajectory.read_log(tuning, "tuning")
    swapped = trajectory.read_log(null, "tuning_null")[1]
    found = units(table, swapped, KINDS[measured["options"]["null_method"]])
    summary = class_scores.summary(found, options) if measured.get("placed", True) else []
    notes = class_scores.notes(found, measured, summary, options)
    columns = {name: table[name].to_numpy() for name in ("network", "layer", "unit")}
    columns |= named(found.values(), options)
    header = {"options": options, "summary": summary, "notes": notes}
    trajectory.write_log(classes, "cell_classes", header, columns)
    missing = [] if "untrained" in set(table["network"]) else [class_scores.NO_CONTROL]
    files.write_json(scores, {"summary": summary, "notes": notes, "not_yet": missing})


if __name__ == "__main__":
    cli.run(main)
