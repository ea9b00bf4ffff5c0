"""Logs that grow line by line and are published as tables."""

import math

from dreamer import trajectory
from dreamer.logs import Lines


def test_what_is_measured_now_and_then_has_a_column_of_its_own(tmp_path):
    lines = Lines(tmp_path / "metrics.jsonl")
    lines.add({"updates": 1, "loss": 2.0})
    lines.add({"updates": 2, "loss": 1.0, "test/psnr": 20.0})
    lines.publish(tmp_path / "metrics.parquet", "metrics", {}, ("updates",), ())
    _, table = trajectory.read_log(tmp_path / "metrics.parquet", "metrics")
    assert list(table.columns) == ["updates", "loss", "test/psnr"]
    assert math.isnan(table["test/psnr"][0]) and table["test/psnr"][1] == 20.0
