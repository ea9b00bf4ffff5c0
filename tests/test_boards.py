"""Loggers beside the tables: whoever is named shows a training, whoever is missing is told of.

Weights & Biases and Scope are used where they are installed, and elsewhere as stand-ins that speak
the part of their interface that is used here.
"""

import importlib.machinery
import importlib.util
import sys
import types

import numpy as np
import pytest

from dreamer import boards, options
from jobs.errors import Refused
from tests import fit_v4, toy_training

ABOUT = {"name": "tiny", "options": {"seed": 1}}
FRAMES = np.zeros((3, 6, 7, 3), np.uint8)


class Calls(list):
    """Keeps what it is asked for: a stand-in for a package, an object and a run."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*words, **named):
            self.append((name, words, named))
            return self

        return call


@pytest.fixture
def package(monkeypatch):
    """Puts a stand-in for a package where `import` finds it; what it was asked for."""

    def put(name):
        calls = Calls()
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.__getattr__ = calls.__getattr__
        monkeypatch.setitem(sys.modules, name, module)
        return calls

    return put


def show(names, folder):
    with boards.opened(names, folder, ABOUT) as board:
        board.scalars(5, {"loss/rec": 1.5, "replay/Age max": 2.0})
        board.histogram(5, "replay/age", [1, 2, 6])
        board.histogram(5, "replay/none", [])
        board.video(7, "open_loop", FRAMES)


def test_tensorboard_has_a_folder_of_its_own(tmp_path):
    show(["tensorboard"], tmp_path)
    assert [path.parent.name for path in tmp_path.rglob("events*")] == ["tensorboard"]


def test_nobody_is_shown_anything_by_none(tmp_path):
    show(["none"], tmp_path)
    show([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_and_biases_runs_offline_and_keeps_its_run(tmp_path, package, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    calls = package("wandb")
    show(["wandb"], tmp_path)
    show(["wandb"], tmp_path)
    starts = [named for name, _, named in calls if name == "init"]
    assert {named["mode"] for named in starts} == {"offline"}
    assert len({named["id"] for named in starts}) == 1
    assert starts[0]["dir"] == str(tmp_path / "wandb") and starts[0]["config"] == {"seed": 1}
    rows = [words[0] for name, words, _ in calls if name == "log"]
    assert rows[0] == {"step": 5, "loss/rec": 1.5, "replay/Age max": 2.0}
    assert [list(row) for row in rows[1:3]] == [["step", "replay/age"], ["step", "open_loop"]]
    assert [name for name, _, _ in calls][-1] == "finish"


def test_weights_and_biases_goes_where_the_environment_says(tmp_path, package, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    calls = package("wandb")
    show(["wandb"], tmp_path)
    assert next(named for name, _, named in calls if name == "init")["mode"] == "disabled"


def test_scope_gets_names_and_sides_that_it_takes(tmp_path, package):
    calls = package("scope")
    show(["scope"], tmp_path)
    rows = {key: (step, value) for name, words, _ in calls if name == "add"
            for step, row in [words] for key, value in row.items()}  # fmt: skip
    assert rows["loss/rec"] == (5, 1.5) and rows["replay/age_max"] == (5, 6.0)
    step, frames = rows["open_loop"]
    assert step == 7 and frames.shape == (3, 6, 8, 3)


def added(calls):
    """{metric: steps} of what Scope was told."""
    found = {}
    for _, (step, row), _ in (item for item in calls if item[0] == "add"):
        for key in row:
            found.setdefault(key, []).append(step)
    return found


def test_a_training_is_shown_with_its_films(tmp_path, package):
    found = package("scope")
    assert toy_training.train(toy_training.ask(tmp_path, logger=["scope"]))
    told = added(found)
    assert {"episode/score", "loss/total", "replay/age_mean", "open_loop"} <= told.keys()
    assert told["loss/total"] == sorted(told["loss/total"]) and not (tmp_path / "events").exists()


def test_a_phase_of_an_agent_that_learns_from_data_is_shown(tmp_path, package):
    found = package("scope")
    data = fit_v4.write(tmp_path)
    asked = fit_v4.ask(fit_v4.PHASES["tokenizer"], tmp_path / "run", data, tmp_path / "run")
    asked.options["logger"] = ["scope"]
    assert fit_v4.train(fit_v4.PHASES["tokenizer"], asked)
    told = added(found)
    assert told["loss/mse"] == [2, 3, 4, 5] and told["test/loss/mse"] == [3, 5]


@pytest.mark.skipif(not importlib.util.find_spec("scope"), reason="make logger-scope installs it")
def test_scope_reads_back_what_was_written(tmp_path):
    import scope

    show(["scope"], tmp_path)
    reader = scope.Reader(tmp_path / "scope")
    assert [list(part) for part in reader["loss/rec"]] == [[5], [1.5]]
    steps, names = reader["open_loop"]
    assert list(steps) == [7] and reader.load("open_loop", names[0]).shape == (3, 6, 8, 3)


@pytest.mark.skipif(not importlib.util.find_spec("wandb"), reason="make logger-wandb installs it")
def test_weights_and_biases_writes_files_that_can_be_sent_later(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    show(["wandb"], tmp_path)
    found = list((tmp_path / "wandb").rglob("*.wandb"))
    assert len(found) == 1 and b"open_loop" in found[0].read_bytes()


@pytest.mark.parametrize("name", ["wandb", "scope"])
def test_a_missing_package_is_refused_with_the_command_that_installs_it(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Refused, match=f"run: make logger-{name}"):
        boards.check([name])


@pytest.mark.parametrize("given", ["scope", ["scope"], ["none"], []])
def test_loggers_are_chosen_by_name_and_change_no_result(given):
    tree = options.resolve((), {"logger": given})
    assert tree["logger"] == ([given] if isinstance(given, str) else given)
    assert options.result(tree)["logger"] == ["tensorboard"]


@pytest.mark.parametrize("given", ["scop", ["tensorboard", "x"], 3])
def test_other_loggers_are_refused(given):
    with pytest.raises(Refused, match="option logger"):
        options.resolve((), {"logger": given})
