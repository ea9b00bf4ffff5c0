"""Imports point one way, because they are also what makes a result stale."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for name in ("dreamer", "analysis", "jobs") for path in (ROOT / name).rglob("*.py")]
FAMILIES = ("dreamer.v3", "dreamer.v4")
V3 = ["nets", "v3.rssm", "v3.world", "v3.behavior", "v3.agent"]  # each imports those before it


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Dotted names that a file imports anywhere, `from a import b` as a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{item.name}" for item in node.names}
    return found


def under(names, *packages):
    return {name for name in names for item in packages if f"{name}.".startswith(f"{item}.")}


IMPORTS = {module(path): imports(path) for path in FILES}
COMMANDS = {module(path) for path in FILES if "cli.run(main)" in path.read_text()}


def part(package):
    return [pytest.param(name, id=name) for name in sorted(under(IMPORTS, package))]


@pytest.mark.parametrize("name", part("jobs"))
def test_what_every_job_shares_imports_neither_package(name):
    allowed = {f"dreamer.{item}" for item in ("checks", "family", "foreign", "options", "tasks")}
    found = under(IMPORTS[name], "dreamer", "analysis")
    assert found <= (allowed if name in ("jobs.offline", "jobs.plan", "jobs.trees") else set())


@pytest.mark.parametrize("name", part("analysis"))
def test_an_analysis_knows_the_agents_by_the_parquet_contract_alone(name):
    assert not under(IMPORTS[name], "jax", "jaxlib", "optax")
    for item in under(IMPORTS[name], "dreamer"):
        assert under({item}, "dreamer.trajectory"), f"{name} imports {item}"


@pytest.mark.parametrize("name", part("analysis"))
def test_nothing_imports_an_analysis_command(name):
    assert not under(IMPORTS[name], *under(COMMANDS, "analysis"))


@pytest.mark.parametrize("name", part("dreamer"))
def test_families_are_loaded_by_name_never_imported(name):
    own = name.rsplit(".", 1)[0] if under({name}, *FAMILIES) else None
    assert not under(IMPORTS[name], *({*FAMILIES} - {own}), "analysis")


@pytest.mark.parametrize("place", range(len(V3)))
def test_the_modules_of_v3_build_on_each_other_in_one_direction(place):
    later = [f"dreamer.{name}" for name in V3[place + 1 :]]
    assert not under(IMPORTS[f"dreamer.{V3[place]}"], *later)


def test_packages_are_empty_but_for_the_lazy_load():
    bodies = {module(path): path.read_text() for path in FILES if path.name == "__init__.py"}
    assert {name for name, text in bodies.items() if text.strip()} == {"dreamer"}
    assert not under(IMPORTS["dreamer"], "dreamer")


@pytest.mark.parametrize("name", ["dreamer.trajectory", "jobs.plan", "analysis.report"])
def test_reading_results_and_planning_load_no_jax(name):
    code = f"import sys, {name}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
