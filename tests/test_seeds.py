"""What may be said over seeds: means, intervals of stated coverage, differences paired by seed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import seeds

ROW = {
    "run": "a", "analysis": "position", "score": "mean error", "layer": "dyn/deter",
    "representation": "ridge", "unit": "tiles", "better": "low", "chance": 6.0,
    "chance_name": "best constant tile", "control": np.nan, "control_name": None,
}  # fmt: skip


def table(values, **changed):
    """Rows of one score, one per seed."""
    rows = [{**ROW, **changed, "seed": seed, "value": value} for seed, value in enumerate(values)]
    return pd.DataFrame(rows)


COVERS = [(3, 0.75), (4, 0.87), (5, 0.91), (6, 0.93), (10, 0.94), (30, 0.95)]


@pytest.mark.parametrize("count, stated", COVERS)
def test_intervals_of_normal_seeds_cover_the_truth_as_often_as_the_report_says(count, stated):
    values = np.random.default_rng(count).normal(5, 2, (count, 4000))
    low, high = seeds.interval(values, 2000, 0)
    assert ((low <= 5) & (high >= 5)).mean() == pytest.approx(stated, abs=0.015)


VALUES = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=8)


@settings(max_examples=30, deadline=None)
@given(values=VALUES, shift=st.floats(-100, 100), order=st.randoms(use_true_random=False))
def test_an_interval_lies_among_the_seeds_moves_with_them_and_forgets_their_order(
    values, shift, order
):
    low, high = seeds.interval(values, 300, 1)
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    moved = seeds.interval(np.add(values, shift), 300, 1)
    np.testing.assert_allclose(moved, np.add([low, high], shift), atol=1e-6)
    rows = table(values).sample(frac=1, random_state=order.randrange(1000))
    found = seeds.intervals(rows, 300, 1).iloc[0]
    assert (found["low"], found["high"]) == (low, high)


def test_equal_draws_give_equal_intervals_and_other_seeds_of_the_draws_similar_ones():
    values = np.random.default_rng(0).normal(size=(12, 1))
    one, again, other = (seeds.interval(values, 4000, seed) for seed in (0, 0, 1))
    assert (one == again).all() and (one != other).any()
    np.testing.assert_allclose(one, other, atol=0.1)


def test_under_three_seeds_there_is_a_mean_but_no_interval():
    found = seeds.intervals(table([3.0, 4.0, np.nan]), 1000, 0).iloc[0]
    assert found["mean"] == 3.5 and found["seeds"] == 2  # a seed without the score is not counted
    assert np.isnan(found["low"]) and np.isnan(found["high"])
    differences = seeds.differences(table([3.0, 4.0], control=5.0, control_name="x"), 1000, 0)
    assert differences["mean"].tolist() == [-1.5] and differences["says"].isna().all()


def test_a_layer_without_name_is_kept_apart_from_named_ones():
    rows = pd.concat([table([1.0], layer=None), table([2.0])])
    assert seeds.intervals(rows, 100, 0)["mean"].tolist() == [1.0, 2.0]


def test_pairing_by_seed_takes_out_what_seeds_share():
    rng = np.random.default_rng(0)
    shared, gap = rng.normal(0, 10, 6), rng.normal(1, 0.1, 6)
    rows = pd.concat([table(shared + gap), table(shared, run="b").sample(frac=1, random_state=0)])
    found = seeds.differences(rows, 2000, 0).iloc[0]
    assert (found["run"], found["other"], found["seeds"]) == ("a", "b", 6)
    assert found["mean"] == pytest.approx(gap.mean()) and found["high"] - found["low"] < 0.5
    assert found["says"] == seeds.WORSE  # a higher error


def test_runs_are_paired_only_where_both_have_the_seed():
    rows = pd.concat([table([1.0, 2.0, 3.0]), table([5.0, 7.0], run="b"), table([0.0], run="c")])
    found = seeds.differences(rows, 100, 0).set_index(["run", "other"])
    assert found["seeds"].to_dict() == {("a", "b"): 2, ("a", "c"): 1, ("b", "c"): 1}
    assert found.loc[("a", "b"), "mean"] == -4.5


@pytest.mark.parametrize(
    "gaps, better, says",
    [
        ([1, 2, 3], "high", seeds.BETTER),
        ([1, 2, 3], "low", seeds.WORSE),
        ([-1, 2, 3], "high", seeds.OPEN),
        ([-1, -2, -3], "low", seeds.BETTER),
    ],
)
def test_trained_less_untrained_tells_whether_training_helped(gaps, better, says):
    rows = table([0.0] * len(gaps), better=better, control_name="untrained network")
    rows = rows.assign(value=5.0 + np.array(gaps), control=5.0)
    found = seeds.differences(rows, 1000, 0).iloc[0]
    assert found["other"] == "untrained network" and found["says"] == says


def test_an_empty_table_gives_empty_statistics():
    empty = table([1.0]).iloc[:0]
    assert len(seeds.intervals(empty, 100, 0)) == len(seeds.differences(empty, 100, 0)) == 0
