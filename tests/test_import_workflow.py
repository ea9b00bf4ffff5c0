"""A run of the workflow may begin with what was trained or recorded elsewhere."""

import json
import os
import pickle
import re
from pathlib import Path

import pytest

from jobs import plan, settings, stages
from jobs.errors import Refused
from tests import foreign_run, sandbox

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "rules/config.schema.yaml"
STUDY = {"run_info", "summary", "compare", "plot_compare", "report"}
BELOW = {
    *("position", "tuning", "cell_classes", "behavior"),
    *("plot_position", "plot_layers", "plot_tuning", "plot_behavior"),
}


def made(**run):
    return plan.make(settings.read({"runs": [{"name": "theirs", **run}]}, SCHEMA))


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A folder with a run directory and one with recordings."""
    folder = tmp_path_factory.mktemp("sources")
    settings = {"env": {"crafter": {"fixed_seed": True, "area": [32, 32]}}}
    settings["agent"] = {"include_position": True}
    foreign_run.save(folder / "run", foreign_run.parameters(True), settings)
    episodes = [foreign_run.episode(number, 30) for number in range(6)]
    foreign_run.save_episodes(folder / "episodes", episodes)
    return folder


def project(folder, **run):
    """A sandbox whose only run is `theirs`."""
    sandbox.copy(folder)
    sandbox.change(folder, runs=[{"name": "theirs", **run}])
    return folder


def finish(folder):
    done = sandbox.snakemake(folder, "--cores", "2")
    logs = [path.read_text()[-1500:] for path in sorted(folder.rglob("logs/*.log"))]
    assert done.returncode == 0, "\n".join([done.stderr[-3000:], *logs])
    return folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, sources):
    """A sandbox in which imported recordings have come to the report."""
    folder = tmp_path_factory.mktemp("recorded")
    episodes = foreign_run.save_episodes(folder / "episodes", [])
    for path in (sources / "episodes").iterdir():
        (episodes / path.name).write_bytes(path.read_bytes())
    return finish(project(folder / "project", import_trajectories=str(episodes)))


def test_imported_recordings_come_to_the_report_without_the_stages_that_need_an_agent(recorded):
    found = json.loads((recorded / "results/theirs/seed0/run_info.json").read_text())
    assert set(found) == {
        "import_trajectories", "position", "tuning", "cell_classes", "behavior",
    }  # fmt: skip
    page = re.sub(r"\s+", " ", (recorded / "results/report.html").read_text())
    assert page.count("Not available for imported recordings") == 2  # training and dreams
    assert "Whether this agent was told its position is not known" in page
    assert "theirs †" in page
    for path in recorded.rglob("logs/*.log"):
        assert not re.search(r"Traceback|Warning|Error", path.read_text()), path.name


def test_position_of_imported_recordings_is_tested_by_episodes(recorded):
    scores = json.loads((recorded / "results/theirs/seed0/position.json").read_text())
    assert scores["split"] == "episodes" and scores["tested_on"] == "trajectory"


def test_only_changed_content_of_what_was_imported_makes_it_stale(recorded):
    path = recorded.parent / "episodes/episode_002.pkl"
    assert sandbox.planned(recorded) == set()
    os.utime(path)
    assert sandbox.planned(recorded) == set()
    path.write_bytes(pickle.dumps(foreign_run.episode(2, 31)))
    assert sandbox.planned(recorded) == {"import_trajectories"} | BELOW | STUDY


def test_an_imported_run_replaces_training_and_nothing_else(tmp_path, sources):
    folder = project(tmp_path / "project", import_run=str(sources / "run"))
    others = {*stages.IMPORTS, *stages.OFFLINE["v4"], *sandbox.OTHER_STUDIES}
    trained = set(stages.STAGES) - others
    assert sandbox.planned(folder) == trained - stages.IMPORTS["import_run"] | {"import_run"}


@pytest.mark.slow
def test_an_imported_run_comes_to_the_report_and_is_said_to_know_its_position(tmp_path, sources):
    folder = finish(project(tmp_path / "project", import_run=str(sources / "run")))
    page = re.sub(r"\s+", " ", (folder / "results/report.html").read_text())
    assert "It was trained elsewhere (run run, checkpoint" in page
    assert "This agent was told its position: it saw player_pos beside the image" in page
    assert sandbox.planned(folder) == set()


def test_a_newer_checkpoint_of_the_run_is_another_job(sources, tmp_path):
    run = tmp_path / "run"
    foreign_run.save(run, foreign_run.parameters(False))
    first = made(import_run=str(run)).spec("import_run", "theirs", 0)
    foreign_run.save(tmp_path / "other", foreign_run.parameters(False), stamp="later")
    (tmp_path / "other/ckpt/later").rename(run / "ckpt/later")
    assert made(import_run=str(run)).spec("import_run", "theirs", 0) == first
    (run / "ckpt/latest").write_text("later")
    second = made(import_run=str(run)).spec("import_run", "theirs", 0)
    assert second["options"]["checkpoint"] == "later"


def test_the_world_of_an_imported_run_is_that_of_its_config(sources):
    place = made(import_run=str(sources / "run")).run("theirs")
    world = plan.tree(place, 0)["env"]["crafter"]
    assert world["fixed_seed"] is True and world["area"] == [32, 32]


@pytest.mark.parametrize(
    "run, sentence",
    [
        ({"import_run": "nowhere"}, "nowhere is no run directory of DreamerV3: config.yaml is not"),
        ({"import_trajectories": "nowhere"}, "nowhere holds no recorded episodes"),
        ({"import_run": "RUN", "checkpoint": "x"}, "there are the checkpoints 2026"),
        ({"import_run": "RUN", "import_trajectories": "EPISODES"}, "are both set; keep one"),
        ({"import_run": "RUN", "configs": ["size1m"]}, "so nothing is trained; leave out configs"),
        (
            {"import_run": "RUN", "options": {"run.steps": 5}},
            "nothing is trained; leave out options",
        ),
        (
            {"import_trajectories": "EPISODES", "agent": "x.y"},
            "nothing is trained; leave out agent",
        ),
        ({"import_run": "RUN", "seeds": [0, 1]}, "so seeds takes one number, a label"),
        (
            {"import_trajectories": "EPISODES", "told_position": "yes"},
            "told_position is 'yes', but",
        ),
        ({"import_trajectories": "EPISODES", "area": [64]}, "area is .64., but takes at least 2"),
    ],
)
def test_an_import_that_cannot_work_is_refused_when_the_workflow_is_read(sources, run, sentence):
    places = {"RUN": str(sources / "run"), "EPISODES": str(sources / "episodes")}
    run = {key: places.get(str(value), value) for key, value in run.items()}
    with pytest.raises(Refused, match=sentence) as refusal:
        made(**run)
    assert "\n" not in str(refusal.value)


def test_a_run_whose_settings_are_unknown_here_is_refused_when_the_workflow_is_read(tmp_path):
    run = foreign_run.save(tmp_path, foreign_run.parameters(False), {"agent": {"attention": 4}})
    with pytest.raises(Refused, match="run theirs: .*agent.attention is 4, and what it does"):
        made(import_run=str(run))


def test_a_bad_path_is_one_sentence_and_exit_code_2(tmp_path):
    folder = project(tmp_path / "project", import_run="nowhere")
    done = sandbox.snakemake(folder, "--cores", "1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "error: in the configuration, run theirs: nowhere is no run directory of DreamerV3"
    )
