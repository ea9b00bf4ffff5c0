"""The report is one file, shows chance beside every number and says what is missing."""

import re

import numpy as np
import pytest

from analysis import report
from dreamer import options, trajectory
from jobs import files

GOOD = {
    "score": "median error", "layer": "dyn/deter", "representation": "ridge", "value": 3.0,
    "unit": "tiles", "better": "low", "chance": 6.0, "chance_name": "best constant tile",
    "control": None,
}  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    folder = tmp_path / "demo" / "seed0"
    lost = {**GOOD, "layer": "enc/cnn0", "value": 7.0}
    alone = {**GOOD, "layer": None, "score": "coverage <&>", "value": 0.25, "unit": None}
    files.write_json(
        folder / "position.json",
        {"summary": [GOOD, lost, alone], "notes": ["Spawns are fixed."], "not_yet": ["pixels"]},
    )
    header = {"options": options.resolve(["crafter_small", "tiny"]), "seed": 0}
    log = {"step": np.array([1, 2]), "updates": np.array([0, 1])}
    trajectory.write_log(folder / "metrics.parquet", "metrics", header, log)
    (folder / "figures").mkdir()
    (folder / "figures" / "layer_comparison.svg").write_text("<svg/>")
    (tmp_path / "intervals.csv").write_text(
        "run,analysis,score,layer,representation,unit,seeds,mean,low,high,chance,control\n"
        "demo,position,median error,dyn/deter,ridge,tiles,1,3.0,,,6.0,\n"
    )
    monkeypatch.setattr(report.cli, "options", lambda spec: {"title": "A study"})
    report.main(None, [folder], tmp_path / "intervals.csv", tmp_path / "report.html")
    return (tmp_path / "report.html").read_text()


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)


def test_chance_stands_beside_the_value_and_a_loss_is_marked(page):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "3 / 6" in text and "7 ▲ / 6" in text
    assert "Chance: best constant tile" in text


def test_what_is_missing_is_named_not_left_out(page):
    assert "probmap: not yet computed" in page
    assert "Where does the agent believe it is while it dreams? not yet computed" in page
    assert "none (1 of 3 seeds)" in page


def test_the_run_is_told_in_words(page):
    assert "one update of 8 × 32 steps every 8 environment steps" in page
    assert "32 × 32 tiles, the same world every episode" in page
    assert "it is no scientific result" in page  # five thousand steps


def test_text_from_results_is_escaped(page):
    assert "coverage &lt;&amp;&gt;" in page


@pytest.mark.parametrize(
    "value, text",
    [(None, "–"), (float("nan"), "–"), (0.01234, "0.0123"), (15900.0, "15,900"), (3, "3")],
)
def test_numbers_are_short(value, text):
    assert report.number(value) == text
