"""From a configuration to the report, with the real commands on an agent too small to learn."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake_executor_plugin_slurm.partitions import read_partition_file

from jobs import stages
from tests import sandbox

ROOT = Path(__file__).parent.parent
SEED = "results/smoke/seed0"


ELSEWHERE = {*stages.IMPORTS, *stages.OFFLINE["v4"], *sandbox.OTHER_STUDIES}
HERE = [stage for stage in stages.STAGES if stage not in ELSEWHERE]


@pytest.mark.parametrize("stage", HERE)
def test_every_stage_leaves_its_output_and_what_made_it(finished, stage):
    sidecar = finished / stages.sidecar(stage, "smoke", 0)
    made = json.loads(sidecar.read_text())
    assert Path(stages.STAGES[stage].first).name in made["outputs"] or stage == "report"
    assert (finished / "results/specs" / made["spec"]).is_file()
    assert f"{stage}." in made["spec"]


def test_logs_hold_no_warnings(finished):
    for path in finished.rglob("logs/*.log"):
        assert not re.search(r"Traceback|Warning|Error", path.read_text()), path.name


def test_the_report_holds_every_figure_and_the_runs_own_numbers(finished):
    page = (finished / "results/report.html").read_text()
    figures = list((finished / SEED / "figures").glob("*.svg"))
    assert len(figures) >= 15
    assert not any("<text" in path.read_text() for path in figures)  # needs no font
    assert page.count('src="data:image/') >= len(figures)
    assert "smoke, seed 0" in page and "not yet computed" not in page.split("<footer")[0][:2000]


def test_the_summary_has_the_scores_of_every_question(finished):
    table = pd.read_parquet(finished / "results/summary.parquet")
    assert set(table["analysis"]) == set(stages.QUESTIONS) - ELSEWHERE
    assert set(table["run"]) == {"smoke"} and set(table["seed"]) == {0}
    assert table.equals(pd.read_parquet(finished / "results/smoke/summary.parquet"))
    means = pd.read_parquet(finished / "results/intervals.parquet")
    assert len(means) == table["value"].notna().sum() and means["low"].isna().all()


def test_run_info_tells_what_made_each_stage(finished):
    found = json.loads((finished / SEED / "run_info.json").read_text())
    assert set(found) == {
        "train", "record", "untrained", "snapshots", "position", "over_training", "tuning",
        "cell_classes", "dream", "dreams", "behavior", "training",
    }  # fmt: skip


def test_nothing_that_an_unfinished_job_keeps_is_left(finished):
    kept = [path.name for path in (finished / SEED).glob("*.work") if any(path.iterdir())]
    assert not kept


def test_a_stage_is_a_target_and_needs_only_what_is_above_it(tmp_path):
    folder = sandbox.copy(tmp_path / "project")
    assert sandbox.planned(folder, "position") == {
        "train", "record", "untrained", "position",
    }  # fmt: skip


def test_a_wrong_setting_stops_the_workflow_with_one_sentence_and_code_2(tmp_path):
    folder = sandbox.copy(tmp_path / "project")
    sandbox.change(folder, position={"fold": 3})
    done = sandbox.snakemake(folder, "--cores", "1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: in workflow_config.yaml and smoke.yaml, position.fold is not a setting; "
        "did you mean 'folds'?"
    )
    assert not (folder / "results").exists()


def test_snapshots_are_outputs_by_name(tmp_path):
    folder = sandbox.copy(tmp_path / "project")
    config = yaml.safe_load((folder / sandbox.CONFIG).read_text())["runs"][0]
    options = config["options"] | {"run.snapshots": [100, 200]}
    del config["options"]["run.snapshots"]
    sandbox.change(folder, runs=[config, config | {"name": "other", "options": options}])
    done = sandbox.snakemake(folder, "--dry-run", "train")
    assert "results/other/seed0/snapshots/200.safetensors" in done.stdout + done.stderr
    assert "results/smoke/seed0/snapshots" not in done.stdout + done.stderr


def test_profiles_share_no_key():
    """A key in profiles/default would silently win over --profile slurm."""
    one, other = (
        yaml.safe_load((ROOT / f"profiles/{name}/profile.v9+.yaml").read_text())
        for name in ("default", "slurm")
    )
    assert not one.keys() & other.keys()


def test_on_slurm_every_job_fits_a_partition_of_its_kind(tmp_path):
    folder = sandbox.copy(tmp_path / "project")
    words = ["--configfile", "study.yaml", "--dry-run", "--profile", "slurm"]
    done = sandbox.snakemake(folder, *words)
    text = done.stdout + done.stderr
    blocks = re.findall(r"\nrule (\w+):(.*?resources: .*?\n)", text, re.S)
    asked = {
        name: {"threads": 1} | dict(re.findall(r"(threads(?=:)|\w+)[=:] ?([^,\n]+)", block))
        for name, block in blocks
    }
    assert {name for name, item in asked.items() if item.get("gpu") == "1"} == {
        "train_seed", "record_seed", "untrained_seed", "snapshots_seed", "dream_seed",
    }  # fmt: skip
    assert asked["train_seed"]["gpu_model"] == "h100"
    assert asked["record_seed"]["gpu_model"] == asked["dream_seed"]["gpu_model"] == "a100"
    assert asked["untrained_seed"]["gpu_model"] == asked["snapshots_seed"]["gpu_model"] == "a100"
    partitions = read_partition_file(ROOT / "profiles/slurm/partitions.yaml")
    wanted = {stage for stage in HERE if "{seed}" in stages.STAGES[stage].first}
    assert {f"{stage}_seed" for stage in wanted} <= set(asked)
    for name, item in asked.items():
        assert any(fits(item, partition.limits) for partition in partitions), name


def fits(asked, limits):
    return (
        asked.get("gpu_model") in (limits.available_gpu_models or [None])
        and int(asked["mem_mb"]) <= limits.max_mem_mb
        and int(asked["runtime"]) <= limits.max_runtime
        and int(asked["threads"]) <= limits.max_threads
    )
