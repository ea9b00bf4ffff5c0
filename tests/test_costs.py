"""The report's table of what trainings cost."""

import pytest

from analysis import costs


def start(updates, **seconds):
    return {"updates": updates, "seconds": {"env": 1.0, "policy": 0.5, "update": 8.0} | seconds}


def test_times_are_per_update_over_all_seeds_and_compared_with_the_first_run():
    first = {"run": "plain", "sampler": "uniform", "starts": [start(10, sampler=0.5)]}
    killed = {"started": "2026-01-01", "step": 0}
    slow = {"run": "slow", "sampler": "curious"}
    other = [
        slow | {"starts": [killed, start(5, sampler=0.5)]},
        slow | {"starts": [start(5, sampler=0.5)]},
    ]
    plain, curious = costs.table([first, *other])
    assert plain["ms"] == pytest.approx(1000) and plain["ratio"] == 1
    assert (curious["seeds"], curious["updates"]) == (2, 10)
    assert curious["ms"] == pytest.approx(2000) and curious["ratio"] == pytest.approx(2)
    assert curious["sampler_ms"] == pytest.approx(100) and curious["share"] == pytest.approx(0.05)


def test_runs_that_were_not_trained_here_have_no_row():
    assert costs.table([{"run": "imported", "sampler": "uniform", "starts": []}]) == []
