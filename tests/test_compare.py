"""Scores of all runs and seeds in one table, with intervals over seeds only."""

import numpy as np
import pandas as pd
import pytest

from analysis import compare
from jobs import files

ROW = {
    "score": "median error", "layer": "dyn/deter", "representation": "ridge", "unit": "tiles",
    "better": "low", "chance": 6.0, "chance_name": "best constant tile", "control": None,
}  # fmt: skip


def scores(folder, values):
    paths = []
    for seed, value in enumerate(values):
        paths.append(folder / "demo" / f"seed{seed}" / "position.json")
        files.write_json(paths[-1], {"summary": [{**ROW, "value": value}]})
    return paths


def test_every_run_and_seed_has_its_row(tmp_path):
    table = compare.gather(scores(tmp_path, [3.0, 4.0]))
    assert list(table["seed"]) == [0, 1] and list(table["value"]) == [3.0, 4.0]
    assert set(table["run"]) == {"demo"} and set(table["analysis"]) == {"position"}
    assert table["control"].isna().all() and (table["chance"] == 6.0).all()


def test_under_three_seeds_there_is_a_mean_but_no_interval(tmp_path):
    row = compare.intervals(compare.gather(scores(tmp_path, [3.0, 4.0])), 1000, 0).iloc[0]
    assert row["mean"] == 3.5 and row["seeds"] == 2
    assert np.isnan(row["low"]) and np.isnan(row["high"])


def test_the_interval_is_the_bootstrap_of_the_mean_over_seeds(tmp_path):
    values = [3.0, 4.0, 5.0, 6.0, 9.0]
    row = compare.intervals(compare.gather(scores(tmp_path, values)), 20000, 0).iloc[0]
    spread = np.std(values) / np.sqrt(len(values))
    assert row["low"] == pytest.approx(np.mean(values) - 1.96 * spread, abs=0.35)
    assert row["high"] == pytest.approx(np.mean(values) + 1.96 * spread, abs=0.35)


def test_a_layer_without_name_is_kept_apart_from_named_ones():
    rows = [{**ROW, "run": "a", "seed": 0, "analysis": "x", "layer": layer, "value": value}
            for layer, value in ((None, 1.0), ("dyn/deter", 2.0))]  # fmt: skip
    means = compare.intervals(pd.DataFrame(rows), 100, 0)
    assert sorted(means["mean"]) == [1.0, 2.0]
