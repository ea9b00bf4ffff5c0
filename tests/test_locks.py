"""One version of every package: between the locks, the conda files and what is installed."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from jobs import conda

ROOT = Path(__file__).parent.parent
LOCKS = ("agent", "agent-cuda", "analysis", "dev", "logger-wandb", "logger-scope")
FAMILIES = sorted(path.name.split(".")[0] for path in (ROOT / "envs").glob("env-*.lock.txt"))


def lines(name):
    return (ROOT / f"envs/{name}.lock.txt").read_text().splitlines()


def versions(name, here=False):
    """{package: pinned version} of a lock; `here` leaves out what this machine does not take."""
    wanted = [Requirement(line) for line in lines(name)]
    return {
        canonicalize_name(item.name): str(item.specifier).removeprefix("==")
        for item in wanted
        if not here or item.marker is None or item.marker.evaluate()
    }


@pytest.mark.parametrize("name", [*LOCKS, *FAMILIES])
def test_a_lock_holds_names_and_exact_versions_and_no_addresses(name):
    for line in lines(name):
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; [^:/@]+)?", line), line


@pytest.mark.parametrize("one", [*LOCKS, *FAMILIES])
@pytest.mark.parametrize("other", [*LOCKS, *FAMILIES])
def test_shared_packages_have_one_version(one, other):
    one, other = versions(one), versions(other)
    assert {name: one[name] for name in one.keys() & other.keys()} == {
        name: other[name] for name in one.keys() & other.keys()
    }


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_pyproject_asks_for(name):
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    locked = versions(name)
    group = groups[name.removeprefix("logger-")]
    for line in (item for item in group if isinstance(item, str)):
        asked = Requirement(line)
        assert asked.specifier.contains(locked[canonicalize_name(asked.name)]), line


@pytest.mark.parametrize("name", conda.NAMES)
def test_a_conda_file_is_made_from_its_lock(name):
    path = ROOT / f"envs/{name}.yaml"
    assert path.read_text() == conda.text(name), "run `make lock`"
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    assert packages == lines(name)


@pytest.mark.parametrize("name", ["agent", "analysis", "dev"])
def test_what_is_installed_is_what_is_locked(name):
    for package, version in versions(name, here=True).items():
        assert importlib.metadata.version(package) == version, package
