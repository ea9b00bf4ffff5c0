"""Phases of DreamerV4 that stop and go on change no bit; what does not fit is refused."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from dreamer import checkpoint, trajectory
from dreamer.v4 import fit, saves, train_agent, train_dynamics, train_tokenizer
from jobs.errors import Refused
from tests import fit_v4, quick, toy_v4

NAMES = tuple(fit_v4.PHASES)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder where tests.fit_v4 ran, and what it printed."""
    folder = tmp_path_factory.mktemp("fit")
    done = subprocess.run([sys.executable, "-m", "tests.fit_v4", str(folder)], capture_output=True,
                          text=True, env=fit_v4.environment())  # fmt: skip
    assert not done.returncode, done.stderr[-3000:]
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def whole(trained):
    """Folder with all phases trained in one go; beside it the data."""
    return trained[0] / "whole"


@pytest.mark.parametrize("name", NAMES)
def test_stopping_after_any_update_and_breaking_down_at_the_end_change_no_bit(name, trained):
    assert trained[1][name] is True


def test_every_checkpoint_tells_its_phase_and_acts(whole, monkeypatch):
    monkeypatch.setattr(jax, "jit", quick.jit)
    for number, name in enumerate(NAMES, 1):
        agent = checkpoint.restore(fit_v4.path(name, whole))
        assert agent.header["phase"] == name and agent.header["updates"] == 5 * number
    action = agent.act({"image": np.zeros((16, 16, 3), np.uint8)})
    assert 0 <= action < toy_v4.ACTIONS


def test_a_phase_changes_its_own_parameters_alone(whole):
    known = [checkpoint.load(fit_v4.path(name, whole))[1] for name in NAMES]
    later = list(fit_v4.PHASES.values())[1:]
    for phase, old, new in zip(later, known, known[1:], strict=False):
        changed = {name for name in old if not np.array_equal(old[name], new[name])}
        mine = phase.trained + (("prior/",) if phase.name == "imagination" else ())
        assert changed and all(name.startswith(mine) for name in changed), phase.name


def test_the_log_holds_raw_and_scaled_losses_and_those_of_held_out_data(whole):
    header, log = trajectory.read_log(whole / "finetune_metrics.parquet", "metrics")
    assert header["phase"] == "finetune" and log["updates"].tolist() == [2, 3, 4, 5]
    assert log["step"].tolist() == [12, 13, 14, 15]
    for name in ("dynamics", "policy", "reward", "continue"):
        assert log[f"loss/{name}"].notna().all() and log[f"scaled/{name}"].notna().all()
        assert log[f"test/loss/{name}"].notna().sum() == 2
    _, log = trajectory.read_log(whole / "tokenizer_metrics.parquet", "metrics")
    assert {"test/psnr", "test/rank", "test/cosine"} <= set(log.columns)


def test_a_finished_phase_whose_outputs_were_lost_puts_them_back(whole, monkeypatch):
    phase = fit_v4.PHASES["tokenizer"]
    kept = fit_v4.content(phase, whole)
    for name in ("tokenizer.safetensors", "tokenizer_metrics.parquet"):
        (whole / name).unlink()
    monkeypatch.setattr(fit, "run", None)  # nothing is trained
    main(train_tokenizer, whole, whole.parent)
    assert fit_v4.content(phase, whole) == kept


def main(module, folder, data, **more):
    overrides = more.pop("overrides", {})
    arguments = {"dataset": data / "train.parquet", "test": data / "test.parquet"} | more
    return module.main(
        run_dir=folder, configs=["t0"], overrides=fit_v4.SMALL | overrides, **arguments
    )


def test_damaged_saves_are_not_used(tmp_path):
    store = saves.Saves(tmp_path, {"a": 1})
    for update in (1, 2, 3):
        store.save(update, {"update": update}, {"x": np.full(3, float(update))})
    assert len(list(store.folder.glob("*.safetensors"))) == 2
    newest = next(store.folder.glob("000000000003.*"))
    newest.write_bytes(newest.read_bytes()[:-1] + b"!")
    with pytest.warns(UserWarning, match="is not as it was saved"):
        facts, arrays = saves.Saves(tmp_path, {"a": 1}).restore()
    assert facts == {"update": 2} and arrays["x"].tolist() == [2, 2, 2]
    with pytest.raises(Refused, match="x holds numbers that are not finite after update 4"):
        store.save(4, {}, {"x": np.array([np.nan])})


BAD = {
    "is of phase 'tokenizer' of agent v4, but --start takes phase 'dynamics'": (
        train_agent, "tokenizer", {}, {}),
    "was trained with other options (tok.latents 8 -> 4)": (
        train_dynamics, "tokenizer", {"tok.latents": 4}, {}),
    "its actions are": (train_dynamics, "tokenizer", {}, {"action": toy_v4.CONTINUOUS}),
    "its images are": (train_dynamics, "tokenizer", {}, {"side": 32}),
    "has no episodes": (train_tokenizer, None, {}, {"count": 0}),
    "has no episode of more than 4 steps, but option dyn.length asks for windows of 6": (
        train_dynamics, "tokenizer", {}, {"length": 4}),
    "is of the fixed world of seed 1, but option seed is 3": (
        train_dynamics, "tokenizer", {}, {"env": {"square": {"fixed_seed": True}}, "seed": 1}),
    "is of the fixed world of seed 2, but option seed is 3": (
        train_dynamics, "tokenizer", {"task": "minigrid_FourRooms-v0"},
        {"env": {"minigrid": {"fixed_seed": True}}, "seed": 2, "task": "minigrid_FourRooms-v0"}),
    "--start is the checkpoint of phase 'tokenizer'": (train_dynamics, None, {}, {}),
    "the batch of 4 rows must be a multiple of 1 devices times 3": (
        train_tokenizer, None, {"run.accumulate": 3}, {}),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BAD)
def test_what_cannot_be_trained_is_refused_in_one_sentence(sentence, whole, tmp_path):
    module, start, overrides, more = BAD[sentence]
    path = (
        toy_v4.write(tmp_path / "train.parquet", **more) if more else whole.parent / "train.parquet"
    )
    start = start and whole / f"{start}.safetensors"
    with pytest.raises(Refused) as found:
        main(module, tmp_path / "run", whole.parent, dataset=path, test=None, start=start,
             overrides=overrides)  # fmt: skip
    assert sentence in str(found.value) and "\n" not in str(found.value)
    assert not [
        path for path in tmp_path.rglob("*") if path.is_file() and path.name != "train.parquet"
    ]


def test_what_was_trained_on_cannot_be_held_out(whole, tmp_path):
    data, copy = whole.parent / "train.parquet", tmp_path / "copy.parquet"
    copy.write_bytes(data.read_bytes())
    with pytest.raises(Refused, match="train.parquet and .*copy.parquet hold the same episodes"):
        main(train_tokenizer, tmp_path / "run", whole.parent, dataset=data, test=copy, start=None,
             overrides={})  # fmt: skip
