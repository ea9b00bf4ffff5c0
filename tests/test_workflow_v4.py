"""The whole workflow of an agent that learns from data, on one too small to learn anything."""

import json
from contextlib import closing

import pytest

from jobs import stages
from tests import sandbox
from tests.forks import Forks

CONFIG = "tests/smoke_v4.yaml"
SEED = "results/smoke/seed0"


@pytest.mark.slow
def test_a_run_that_learns_from_data_ends_in_a_report_and_is_fresh(tmp_path):
    folder = sandbox.copy(tmp_path / "project")
    (folder / sandbox.CONFIG).write_text((folder / CONFIG).read_text())
    done = sandbox.snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    info = json.loads((folder / SEED / "run_info.json").read_text())
    assert stages.OFFLINE["v4"] & set(stages.MAKERS) <= set(info)
    assert "Did each phase learn?" in (folder / "results/report.html").read_text()
    assert not list((folder / SEED).glob("*.work/*")) and not (folder / SEED / "images").exists()
    with closing(Forks(folder)) as forks:
        told = forks.run("analysis.provenance", "--configfile", sandbox.CONFIG)
    assert told.returncode == 0, told.stdout
