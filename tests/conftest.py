"""What several test files share."""

import pytest

from tests import sandbox


def pytest_collection_modifyitems(items):
    """What takes longest comes first, so that with pytest-xdist both processes end together."""
    items.sort(key=lambda item: "finished" not in item.fixturenames)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A sandbox in which the small workflow has run to its report; leave it as it is."""
    folder = sandbox.copy(tmp_path_factory.mktemp("workflow") / "project")
    done = sandbox.snakemake(folder, "--cores", "2")
    logs = [path.read_text()[-2000:] for path in sorted(folder.rglob("logs/*.log"))]
    assert done.returncode == 0, "\n".join([done.stderr[-4000:], *logs])
    return folder
