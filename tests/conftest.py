"""What several test files share."""

import fcntl
import os

import pytest

from tests import sandbox


def pytest_collection_modifyitems(items):
    """What takes longest comes first, so that with pytest-xdist both processes end together."""
    items.sort(key=lambda item: "finished" not in item.fixturenames)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A sandbox in which the small workflow has run to its report; leave it as it is."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # the first process builds it, the others wait
    folder = shared / "finished"
    with open(shared / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "finished.done").exists():
            _build(folder)
            (shared / "finished.done").touch()
    return folder


def _build(folder):
    """Run the workflow in a copy of the project."""
    sandbox.copy(folder)
    done = sandbox.snakemake(folder, "--cores", "2")
    logs = [path.read_text()[-2000:] for path in sorted(folder.rglob("logs/*.log"))]
    assert done.returncode == 0, "\n".join([done.stderr[-4000:], *logs])
