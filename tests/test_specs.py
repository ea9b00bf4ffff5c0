"""Specs carry their content in their name, and a job refuses code that it was not planned with."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import closure, files, plan, spec_files, specs
from jobs.errors import Refused

MODULE = "analysis.compare"


def spec(**options):
    code = closure.digest(MODULE)
    return specs.build("demo", 0, "position", options, [MODULE], code, "lock")


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.booleans() | st.text(max_size=3)))
def test_the_order_of_options_does_not_matter(options):
    turned = dict(reversed(options.items()))
    assert specs.name(spec(**options)) == specs.name(spec(**turned))


@pytest.mark.parametrize("change", [{"a": 2, "b": 1}, {"a": "1", "b": 2}, {"a": 1}, {"a": 1.5}])
def test_swapped_retyped_and_removed_options_change_the_name(change):
    assert specs.name(spec(a=1, b=2)) != specs.name(spec(**change))


def test_a_job_reads_the_options_it_was_planned_with(tmp_path):
    files.write_json(tmp_path / "s.json", spec(folds=5))
    assert specs.read(tmp_path / "s.json")["options"] == {"folds": 5}


def test_a_job_refuses_when_its_code_changed_after_planning(tmp_path):
    files.write_json(tmp_path / "s.json", spec(folds=5) | {"code": "0" * 64})
    with pytest.raises(Refused, match=f"code of {MODULE} changed since demo.seed0.position"):
        specs.read(tmp_path / "s.json")


@pytest.mark.parametrize("text, reason", [("{", "not valid JSON"), ("{}", "not a job's spec")])
def test_a_broken_spec_is_refused(tmp_path, text, reason):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(Refused, match=reason):
        specs.read(tmp_path / "s.json")


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A spec file an hour old, written by the plan, and where its result's sidecar lies."""
    monkeypatch.chdir(tmp_path)
    path = spec_files.write(plan.FOLDER, spec(folds=5))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return tmp_path / path, tmp_path / "results/demo/seed0/position.json.prov.json"


def test_a_spec_is_written_once_and_kept(written):
    path, sidecar = written
    files.write_json(sidecar, {"spec": path.name})
    assert spec_files.write(plan.FOLDER, spec(folds=5)) == str(path.relative_to(path.parents[2]))
    assert path.stat().st_mtime == 1_000_000_000
    assert spec_files.write(plan.FOLDER, spec(folds=6)) != str(path)


@pytest.mark.parametrize("sidecar_says", [None, "demo.seed0.position.00000000.json"])
def test_a_result_of_another_spec_looks_older_than_its_spec(written, sidecar_says):
    path, sidecar = written
    if sidecar_says:
        files.write_json(sidecar, {"spec": sidecar_says})
    spec_files.write(plan.FOLDER, spec(folds=5))
    assert path.stat().st_mtime > 1_000_000_000
