"""The cluster that the tests of a process share."""

import fcntl
import json
import os

import pytest

from tests.slurm.cluster import Cluster, missing
from tests.slurm.study import Study

ABSENT = missing()


def pytest_collection_modifyitems(items):
    """What takes longest comes first; where SLURM is not installed, its tests say so."""
    items.sort(key=lambda item: "of_its_kind" not in item.name)
    if ABSENT:
        why = f"no {', '.join(ABSENT)} here; `make test-slurm` installs SLURM where it may"
        why = os.environ.get("SLURM_ABSENT") or why
        for item in items:
            if "tests/slurm" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def cluster():
    """A SLURM of this process's own."""
    found = Cluster()
    yield found
    found.stop()


@pytest.fixture
def study(cluster, tmp_path):
    """Makes studies; those whose Snakemake still runs at the end of a test are ended."""
    made = []

    def make(name="study", **more):
        made.append(Study(tmp_path / name, cluster, **more))
        return made[-1]

    yield make
    for item in made:
        if item.process and item.process.poll() is None:
            item.kill()
        for job in item.jobs():
            cluster("scancel", job["JobId"])


@pytest.fixture
def undisturbed(study, tmp_path_factory):
    """Function: the results of a slow training left alone, which one process makes for all."""

    def results():
        shared = tmp_path_factory.getbasetemp()
        shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
        path = shared / "undisturbed.json"
        with open(shared / "undisturbed.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                found = study("undisturbed", slow=True).run("train")
                assert len(found.starts()) == len(found.jobs("train")) == 1
                path.write_text(json.dumps(found.results()))
        return json.loads(path.read_text())

    return results


def pytest_terminal_summary(terminalreporter):
    """The fault table."""
    rows = [
        dict(report.user_properties)
        for report in terminalreporter.getreports("passed")
        if dict(report.user_properties).get("fault")
    ]
    if rows:
        terminalreporter.section("faults")
    for row in rows:
        terminalreporter.write_line(" | ".join(map(str, row.values())))
