"""The report is one file, shows chance beside every number and says what is missing."""

import re

import numpy as np
import pandas as pd
import pytest

from analysis import gathered, report, report_figures, report_tables, report_words, seeds
from analysis.rows import verdict
from dreamer import options, trajectory
from jobs import files

GOOD = {
    "score": "mean Euclidean error", "layer": "dyn/deter", "representation": "ridge", "value": 3.0,
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
        {
            "summary": [GOOD, lost, alone, {**GOOD, "layer": "clock", "value": 4.0}],
            "controls": ["clock"],
            "notes": ["Spawns are fixed.", "No better than clock: enc/cnn0 (ridge)."],
            "not_yet": ["pixels"],
        },
    )
    header = {"options": options.resolve(["crafter_small", "tiny"]), "seed": 0}
    log = {"step": np.array([1, 2]), "updates": np.array([0, 1])}
    trajectory.write_log(folder / "metrics.parquet", "metrics", header, log)
    (folder / "figures").mkdir()
    (folder / "figures" / "layer_comparison.svg").write_text("<svg/>")
    table = gathered.scores([folder / "position.json"])
    tables = [tmp_path / f"{name}.parquet" for name in ("intervals", "differences")]
    for path, over_seeds in zip(tables, (seeds.intervals, seeds.differences), strict=True):
        gathered.write(path, over_seeds(table, 100, 0))
    monkeypatch.setattr(report.cli, "options", lambda spec: {"title": "A study"})
    report.main(None, [folder], *tables, tmp_path / "figures", tmp_path / "report.html")
    return (tmp_path / "report.html").read_text()


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)


def test_chance_stands_beside_the_value_and_a_loss_is_marked(page):
    text = words(page)
    assert "3 / 6" in text and "7 ▲ / 6" in text
    assert "Chance: best constant tile" in text
    assert "▲ 1 of 2 numbers are no better than chance. mean Euclidean error: enc/cnn0" in text


def test_the_section_of_controls_says_which_layers_they_beat(page):
    controls = page[page.index('id="demo-seed0-controls"') :]
    controls = controls[: controls.index("<h3")]
    assert "No better than clock: enc/cnn0 (ridge)." in controls
    assert "Spawns are fixed." not in controls and "<code>clock</code>" in controls
    assert page.count("No better than clock") == 1


def test_every_section_stands_in_the_contents_and_every_address_exists(page):
    named = set(re.findall(r'id="([^"]+)"', page))
    linked = set(re.findall(r'href="#([^"]+)"', page))
    assert linked <= named
    parts = ("training", "behavior", "decoding", "layers", "controls", "tuning", "dreams")
    assert {f"demo-seed0-{part}" for part in parts} <= linked


def test_tables_can_be_sorted_by_number_and_are_whole_without_it(page):
    body = page[page.index("<body>") : page.index("<script>")]
    assert body.count("<table>") == body.count("<thead>") == body.count("<tbody>") > 2
    assert 'data-value="7.0"' in body and "aria-sort" not in body
    assert len(re.findall(r'<div class="scroll[^"]*"><table>', body)) == body.count("<table>")


def test_what_is_missing_is_named_not_left_out(page):
    assert "probmap: not yet computed" in page
    assert "Where does the agent believe it is while it dreams? not yet computed" in page
    assert "none (1 of 3 seeds)" in page


def test_the_run_is_told_in_words(page):
    assert "one update of 8 × 32 steps every 8 environment steps" in page
    assert "32 × 32 tiles, the same world every episode" in page
    assert "it is no scientific result" in page  # five thousand steps


def test_of_figures_that_are_chosen_only_those_are_shown_with_their_own_words(tmp_path):
    item = {"figures": ["animation", "paths", "heat_map"], "said": "behavior.json"}
    assert [found["name"] for found in report_figures.chosen(tmp_path, item)] == item["figures"]
    files.write_json(tmp_path / "behavior.json", {"paths": "", "animation": "Shown are 3 steps."})
    (tmp_path / "animation.gif").write_bytes(b"GIF")
    moving, paths = report_figures.chosen(tmp_path, item)
    assert moving["source"].startswith("data:image/gif;base64,") and paths["source"] is None
    assert moving["caption"].endswith("Shown are 3 steps.")


def test_the_more_chapters_share_a_page_the_lighter_are_the_pictures_it_holds(tmp_path):
    folder = tmp_path / "demo/seed0/figures"
    folder.mkdir(parents=True)
    (folder / "animation.gif").write_bytes(b"x" * 500_000)
    item = {"figures": ["animation"]}
    for chapters, held in ((1, True), (3, True), (12, False), (1000, False)):
        found = report_figures.chosen(folder, item, report_figures.limit(chapters))
        assert (found[0]["link"] is None) is held
    assert report_figures.limit(1000) == report_figures.LIGHT


def test_a_heavy_picture_is_linked_to(tmp_path):
    path = tmp_path / "demo" / "seed0" / "figures" / "animation.gif"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(report_figures.HEAVY + 1))
    found = report_figures.figure(path.parent, "animation")
    assert (found["source"], found["link"]) == (None, "demo/seed0/figures/animation.gif")


def test_text_from_results_is_escaped(page):
    assert "coverage &lt;&amp;&gt;" in page


@pytest.mark.parametrize(
    "changed, lost",
    [
        ({}, []),
        ({"value": 6.0}, ["chance"]),
        ({"control": 3.0}, ["control"]),
        ({"control": 2.0, "value": 7.0}, ["chance", "control"]),
        ({"p": 0.05}, []),
        ({"p": 0.06}, ["p"]),
        ({"better": "high"}, ["chance"]),
        ({"value": None}, None),
        ({"chance": None}, None),
        ({"chance": None, "control": 2.0}, ["control"]),
    ],
)
def test_a_result_must_beat_chance_control_and_null_draws(changed, lost):
    assert verdict({**GOOD, "p": None, **changed}) == lost


@pytest.mark.parametrize(
    "changed, lost",
    [
        ({}, []),
        ({"low": 2.0, "high": 5.9}, []),
        ({"low": 2.0, "high": 6.1}, ["chance"]),
        ({"control": 2.5}, ["control"]),
    ],
)
def test_over_seeds_the_worse_end_of_the_interval_must_beat_chance(changed, lost, tmp_path):
    row = {**GOOD, "mean": 3.0, "low": np.nan, "high": np.nan, **changed}
    gathered.write(tmp_path / "t.parquet", pd.DataFrame([row]))
    assert report_tables.across(tmp_path / "t.parquet")[0]["lost"] == lost


def test_numbers_without_chance_or_control_are_warned_of():
    assert report_tables.lost([{**GOOD, "chance": None}])[0]["words"] == report_tables.ALONE
    assert report_tables.lost([GOOD, {**GOOD, "chance": None}]) == report_tables.lost([]) == []


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.01234, "0.0123"),
        (-2.5, "\N{MINUS SIGN}2.5"),
        (15900.0, "15,900"),
        (3, "3"),
    ],
)
def test_numbers_are_short(value, text):
    assert report_tables.number(value) == text


def test_a_run_without_checkpoints_over_training_says_that_they_were_not_asked_for(page):
    assert "Not asked for: a run keeps checkpoints while it trains" in re.sub(r"\s+", " ", page)
    assert "decoding over training: not yet computed" not in page


def test_where_no_untrained_network_can_be_had_the_page_says_so_and_shows_no_column():
    words = "Untrained-network control: not yet computed."
    part = {"controlled": True, "not_yet": [words, "more"]}
    assert report.available(part, True) == part
    alone = report.available(part, False)
    assert not alone["controlled"] and alone["not_yet"] == [report.NO_CONTROL, "more"]


def test_what_the_agent_sees_of_its_world_is_said():
    room = report_words.world(options.resolve(["minigrid", "tiny"]))
    assert "minigrid_Empty-8x8-v0" in room and "match ^(image|symbols)$;" in room
    fixed = report_words.world(options.resolve(["minigrid"], {"env.minigrid.fixed_seed": True}))
    assert "with one layout in all episodes" in fixed and "one layout" not in room
    assert "sees the image alone" in report_words.world(options.resolve(["crafter"]))
