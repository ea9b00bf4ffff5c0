"""Behaviour figures are drawn for any recording, with or without terrain."""

import numpy as np
import pytest

from analysis import plot_behavior
from tests import synthetic

CASES = {
    "several episodes": {"episodes": 4},
    "one step": {"episodes": 1, "steps": 1},
    "no positions": {"absent": ["x", "y"]},
    "no terrain": {"absent": ["terrain", "terrain_changed"]},
    "water": {"terrain": np.where(np.arange(48) % 5 == 0, 1, 2).reshape(8, 6)},
}


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn(case, tmp_path, monkeypatch):
    synthetic.recording(tmp_path / "t.parquet", **({"episodes": 2, "steps": 20} | CASES[case]))
    monkeypatch.setattr("jobs.cli.options", lambda spec: {})
    figures = [tmp_path / name for name in ("paths.svg", "heat.svg", "episode.svg")]
    plot_behavior.main(None, tmp_path / "t.parquet", *figures)
    for path in figures:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000
