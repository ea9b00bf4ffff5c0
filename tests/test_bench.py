"""The timings are taken of what they name, and end with one line of JSON."""

import json

import pytest

from bench import collect, replay, samplers, sizes, update
from jobs.errors import Refused


def test_the_replays_timing_runs_at_any_size_and_leaves_nothing(tmp_path, capsys):
    replay.main(steps=2000, envs=4, repeats=3, folder=tmp_path)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["asked"] == found["steps"] == 2000
    assert found["insert_rows_per_second"] > 0 and found["sample_over_numpy_ring"] > 0
    assert found["rss_growth_mb"] < 60 and not list(tmp_path.iterdir())


def test_less_is_stored_where_the_disk_is_short(tmp_path, capsys, monkeypatch):
    free = replay.shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(replay, "SPARE", free - 30e6)
    monkeypatch.setattr(replay, "RIVAL_ROWS", 400)
    replay.main(steps=10_000, envs=4, repeats=3, folder=tmp_path)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["asked"] == 10_000 and 1000 < found["steps"] < 2500


@pytest.mark.parametrize("name", ["uncertainty", "uncertainty_caching"])
def test_samplers_are_timed_with_a_signal_at_every_step(name):
    found = samplers.one(name, 2000, 3)
    assert min(found.values()) > 0 and found["bytes_per_step"] < 40


def test_collection_is_held_against_its_bound():
    rounds = [{"collect": (0.012, 0.02), "env": (0.008, 0.014), "policy": (0.002, 0.002)}] * 3
    found = collect.summary(rounds, envs=8)
    assert found["raw_steps_per_second"] == pytest.approx(1000)
    assert found["bound"] == pytest.approx(0.8)
    assert found["share_of_bound"] == pytest.approx(0.833) and found["cpu_share"] == 0.8


def test_the_share_of_the_peak_is_of_the_devices_named():
    found = {"flop_per_update": 989e9, "seconds_per_update": 0.01, "devices": 2}
    assert update.share_of_peak(found | {"device": "NVIDIA H200"}) == 0.05
    assert update.share_of_peak(found | {"device": "cpu"}) is None


def test_a_size_that_cannot_be_timed_is_said(capsys):
    with pytest.raises(Refused, match="--size size9m .* failed: .*size9m"):
        sizes.main(sizes=["size9m"])
