"""Containers are made by the Makefile's commands from its locks, as far as that can be told."""

import re
import shutil
import subprocess

import pytest
import yaml

from jobs import conda
from tests.sandbox import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
LOCKS = {"cpu": "agent", "cuda": "agent-cuda"}
PAGE = (ROOT / "docs/containers.md").read_text()


def steps(kind):
    return [rest for name, rest in STEPS if name == kind]


def targets():
    """Names of the Makefile's targets, those of families and loggers included."""
    made = subprocess.run(["make", "-pqn"], cwd=ROOT, capture_output=True, text=True).stdout
    return set(re.findall(r"^([a-z][\w-]*):", made, re.MULTILINE))


def test_python_is_that_of_the_conda_files():
    assert steps("FROM")[0].startswith(f"python:{conda.PYTHON}-")


@pytest.mark.parametrize("accel", LOCKS)
def test_the_set_up_installs_the_makefiles_locks_from_what_was_copied(accel, tmp_path):
    place = next(place for place, step in enumerate(STEPS) if step == ["RUN", "make setup"])
    for source, target in (rest.split() for name, rest in STEPS[:place] if name == "COPY"):
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / target if target != "./" else tmp_path / source)
    done = subprocess.run(["make", "--dry-run", "setup", f"ACCEL={accel}"], cwd=tmp_path,
                          capture_output=True, text=True, check=True)  # fmt: skip
    wanted = [f"envs/{name}.lock.txt" for name in (LOCKS[accel], "analysis", "dev")]
    assert f"sh envs/install.sh .venv {' '.join(wanted)}" in done.stdout
    assert all((tmp_path / path).is_file() for path in [*wanted, "envs/install.sh"])


def test_the_argument_reaches_the_makefile_in_the_set_up_and_later():
    assert "ACCEL=cpu" in steps("ARG") and "ACCEL=$ACCEL" in steps("ENV")[0]
    names = [name for name, _ in STEPS]
    assert names.index("ENV") < STEPS.index(["RUN", "make setup"])


def test_nothing_is_installed_but_by_the_makefile_and_the_system():
    assert not any(re.search(r"\b(pip|conda|uv)\b", step) for step in steps("RUN"))


@pytest.mark.parametrize("accel", LOCKS)
def test_there_is_a_service_for_each_accelerator(accel):
    service = SERVICES[accel]
    assert service["build"]["args"]["ACCEL"] == accel and service["image"].endswith(f":{accel}")
    assert ("deploy" in service) == (accel == "cuda")


def test_every_make_target_that_is_named_exists():
    known, extras = targets(), re.findall(r"(?:env|logger)-[a-z]+", PAGE + "\n".join(LINES))
    named = re.findall(r"\bmake ([a-z][\w-]*)", PAGE + (ROOT / "compose.yaml").read_text())
    assert set(named) | set(extras) <= known and "demo" in named
    assert steps("CMD") == ['["make", "demo"]'] and SERVICES["cpu"]["command"] == "make demo"


def test_what_a_machine_made_stays_outside():
    ignored = (ROOT / ".dockerignore").read_text().split()
    made = {line for line in (ROOT / ".gitignore").read_text().split() if "pycache" not in line}
    assert made <= set(ignored)


def test_folders_of_results_are_the_hosts():
    mounted = {item.split(":")[0] for item in SERVICES["cpu"]["volumes"]}
    assert {"./results", "./runs"} <= mounted


def test_the_page_says_what_was_not_tried():
    assert "**Untested:**" in PAGE
