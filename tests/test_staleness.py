"""Only what is stale runs again: options, code and files, and nothing by a mere touch."""

import json
import os
import shutil
import time

import pytest

from tests import sandbox

STUDY = {"run_info", "summary", "compare", "plot_compare", "report"}
DREAMS = {"dreams", "plot_dreams"}
POSITION = {"position", "plot_position", "plot_layers"} | DREAMS | STUDY
CLASSES = {"cell_classes", "plot_tuning"} | STUDY
TUNING = {"tuning"} | CLASSES
TRAINING = {"training", "plot_training"} | STUDY
OVER_TRAINING = {"snapshots", "over_training", "plot_over_training"} | STUDY
UNTRAINED = {"untrained"} | OVER_TRAINING | POSITION | TUNING
RECORD = {"record", "dream", "behavior", "plot_behavior"} | UNTRAINED
ALL = {"train"} | RECORD | TRAINING
SEEDS = {"plot_compare", "report"}
ANALYSES = ALL - {"train", "record", "dream", "untrained", "snapshots"}


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished sandbox that a test may change."""
    return sandbox.clone(finished, tmp_path / "project")


def test_after_a_finished_run_there_is_nothing_to_do_even_when_every_file_is_touched(project):
    assert sandbox.planned(project) == set()
    for path in project.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)
    assert sandbox.planned(project) == set()


@pytest.mark.parametrize(
    "block, settings, expected",
    [
        ("position", {"n_null": 2}, POSITION),
        ("tuning", {"folds": 3}, TUNING),
        ("cell_classes", {"border_share": 0.7}, CLASSES),
        ("dreams", {"horizon": 4}, {"dream"} | DREAMS | STUDY),
        ("record", {"episodes": 4}, RECORD),
        ("untrained", {"seed_offset": 5}, UNTRAINED),
        ("over_training", {"layers": ["dyn/deter"]}, OVER_TRAINING),
        ("compare", {"bootstrap_draws": 500}, {"compare", "plot_compare", "report"}),
        ("report", {"title": "Where?"}, {"report"}),
        ("cluster", {"gpu_train": "b200"}, set()),
    ],
)
def test_an_option_reruns_its_stage_and_what_is_below(project, block, settings, expected):
    sandbox.change(project, **{block: settings})
    assert sandbox.planned(project) == expected


IMPORT, MAIN = "\nimport jax", "\ndef main"
EDITS = {
    "the world model": ("dreamer/v3/rssm.py", IMPORT, f"\nCHANGED = 1{IMPORT}", ALL),
    "a plot": ("analysis/plot_training.py", MAIN, f"\nX = 1{MAIN}", {"plot_training", "report"}),
    "a figure over seeds": ("analysis/seed_figures.py", "\nimport", "\nX = 1\nimport", SEEDS),
    "a caption": ("rules/captions/losses.rst", "", "Now: ", {"report"}),
    "a comment": ("dreamer/v3/rssm.py", IMPORT, f"\n# A comment.{IMPORT}", set()),
    "a lock": ("envs/analysis.lock.txt", "numpy==", "numpy==9", ANALYSES),
}


@pytest.mark.parametrize("file, old, new, expected", EDITS.values(), ids=EDITS.keys())
def test_an_edit_reruns_what_is_computed_with_it(project, file, old, new, expected):
    sandbox.edit(project / file, old, new)
    assert sandbox.planned(project) == expected


def test_a_new_seed_adds_its_own_jobs_and_what_compares_seeds(project):
    config = sandbox.yaml.safe_load((project / sandbox.CONFIG).read_text())
    sandbox.change(project, runs=[config["runs"][0] | {"seeds": [0, 1]}])
    done = sandbox.snakemake(project, "--dry-run").stdout
    assert "seed=1" in done and "seed=0" not in done


def test_a_result_of_another_spec_is_stale_without_snakemakes_records(project):
    shutil.rmtree(project / ".snakemake/metadata")
    assert sandbox.planned(project) == set()
    path = project / "results/smoke/seed0/tuning.parquet.prov.json"
    record = json.loads(path.read_text()) | {"spec": "smoke.seed0.tuning.00000000.json"}
    path.write_text(json.dumps(record))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert sandbox.planned(project) == TUNING


JOB = [
    *("--cores", "1", "--nolock", "--force", "--mode", "remote"),
    *("--target-jobs", "behavior_seed:run=smoke,seed=0"),
]


def test_a_queued_job_does_what_was_planned_or_refuses(project):
    """A cluster's job reads the Snakefile again, hours after the main process has planned it."""
    sandbox.planned(project)
    plan = max(
        (project / "results/specs").glob("plan.*.json"), key=lambda path: path.stat().st_mtime
    )
    sidecar = project / "results/smoke/seed0/behavior.json.prov.json"
    before = json.loads(sidecar.read_text())
    sandbox.change(project, behavior={"walks": 3})
    time.sleep(1)
    done = sandbox.snakemake(project, *JOB, DREAM_ATLAS_PLAN=str(plan))
    assert done.returncode == 0, done.stderr
    after = json.loads(sidecar.read_text())
    assert after["spec"] == before["spec"] and after["started"] > before["started"]

    sandbox.edit(project / "analysis/behavior.py", "\ndef main", "\nCHANGED = 1\n\n\ndef main")
    done = sandbox.snakemake(project, *JOB, DREAM_ATLAS_PLAN=str(plan))
    assert done.returncode != 0
    log = (project / "results/smoke/seed0/logs/behavior.log").read_text()
    assert "code of analysis.behavior changed since smoke.seed0.behavior was planned" in log
