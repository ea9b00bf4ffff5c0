"""Only what is stale runs again: options, code and files, and nothing by a mere touch.

The provenance report and Snakemake's dry run are asked about every change of tests/mutations.py,
the report first, since it writes nothing.
"""

import json
import time
from contextlib import closing

import pytest

from tests import changes, mutations, sandbox
from tests.mutations import CHANGES


@pytest.fixture(scope="module")
def forks(finished, tmp_path_factory):
    """Starts programs in a copy of the finished sandbox."""
    with closing(mutations.fresh(finished, tmp_path_factory.mktemp("stale"))) as found:
        yield found


@pytest.fixture
def project(finished, forks):
    """This copy, which a test may change."""
    return mutations.renewed(forks, finished)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_reruns_what_depends_on_it_and_nothing_else(forks, project, change):
    change.do(project)
    found, ours, theirs = mutations.run(forks, change.words)
    assert ours == theirs
    assert {stage for stage, _, _ in theirs} == change.stale
    assert all(job["reasons"] or job["state"] in ("fresh", "gone") for job in found["jobs"])


def test_results_copied_without_records_and_times_can_be_taken_as_they_are(forks, project):
    changes.moved(project)
    told = forks.run("analysis.provenance", "--configfile", sandbox.CONFIG).stdout
    assert "`python -m jobs.adopt` takes them as they are" in told
    done = forks.run("jobs.adopt", "--configfile", sandbox.CONFIG)
    assert done.returncode == 0, done.stderr
    assert mutations.run(forks)[1:] == (set(), set())


def test_altered_results_are_not_taken_as_they_are(forks, project):
    changes.moved(project)
    changes.write(changes.SEED + "tuning.json")(project)
    done = forks.run("jobs.adopt", "--configfile", sandbox.CONFIG)
    assert done.returncode == 2 and "tuning.json was altered after it was made" in done.stderr


def test_an_option_changed_and_changed_back_reruns_nothing(forks, project):
    before = (project / sandbox.CONFIG).read_text()
    sandbox.change(project, position={"n_null": 2}, record={"episodes": 4})
    assert mutations.run(forks)[2]
    (project / sandbox.CONFIG).write_text(before)
    assert mutations.run(forks)[1:] == (set(), set())


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
