"""Training: the ratio is exact, results say what they should, and what cannot work is refused."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from dreamer import (
    checkpoint,
    job,
    logs,
    options,
    platform,
    progress,
    stopping,
    trajectory,
    video,
)
from dreamer import train as training
from dreamer.envs import vector
from dreamer.training import Training
from jobs import files, specs
from jobs.errors import Refused
from tests.toy_training import NAMES, after, ask, train, whole

__all__ = ["whole"]


def test_a_finished_training_leaves_its_results_twice_and_no_state(whole):
    header, values = checkpoint.load(whole / NAMES[0])
    assert header["step"] == 300 and header["agent"] == "tests.toy_family"
    assert set(values) == {"toy/kernel", "toy/readout/kernel"}
    assert [path.name for path in (whole / "train.state").iterdir()] == ["finished"]
    kept = whole / "train.state/finished" / NAMES[0]
    assert kept.samefile(whole / NAMES[0])  # a second name takes no room


def test_updates_follow_the_ratio_exactly(whole):
    header, metrics = trajectory.read_log(whole / NAMES[1], "metrics")
    start = 80  # batch_size * batch_length
    assert checkpoint.load(whole / NAMES[0])[0]["updates"] == (300 - start) * 8 // 80
    due = (metrics["step"] - start) * 8 // 80
    assert (metrics["updates"] <= due).all() and (metrics["updates"] > due - 1).all()
    assert header["options"]["run"]["train_ratio"] == 8.0


def test_episodes_are_counted_with_score_length_and_achievements(whole):
    header, episodes = trajectory.read_log(whole / NAMES[2], "episodes")
    assert len(header["achievements"]) == 22
    assert {f"achievement_{name}" for name in header["achievements"]} < set(episodes.columns)
    assert (episodes["length"] <= 25).all() and (episodes["length"] == 25).any()
    assert sorted(set(episodes["env"])) == [0, 1, 2]
    for _, one in episodes.groupby("env"):
        assert list(one["episode"]) == list(range(len(one)))
        np.testing.assert_array_equal(one["step"], 3 * (one["length"] + 1).cumsum())


def test_metrics_are_means_over_the_updates_since_the_last_row(whole):
    _, metrics = trajectory.read_log(whole / NAMES[1], "metrics")
    assert list(metrics["updates"]) == [*range(3, 22, 3), 22]
    assert np.isfinite(metrics["loss/total"]).all()


def test_the_policy_is_compiled_once(tmp_path, caplog):
    tree = options.resolve(["square", "debug"], {"run.envs": 1})
    made, board = vector.make("square", tree["env"], 1, 0), SimpleNamespace(scalars=print)
    with closing(made) as envs, progress.Report(1, "cpu") as report:
        going = Training(tree, envs, tmp_path, board, report)
        with jax.log_compiles():
            for _ in range(3):
                going.advance()
    assert caplog.text.count("Compiling jit(_beliefs)") == 1


def test_snapshots_are_published_beside_the_checkpoint(tmp_path):
    asked = ask(tmp_path, run__snapshots=[100, 250])
    assert not train(asked, after(150))
    assert not (tmp_path / "snapshots").exists()
    assert train(asked)
    steps = [checkpoint.load(path)[0]["step"] for path in asked.snapshots.values()]
    assert steps == [100, 250]


def test_a_training_can_start_from_the_weights_of_another(whole, tmp_path):
    start = str(whole / NAMES[0])
    asked = ask(tmp_path, run__from_checkpoint=start, run__steps=10, run__snapshots=[1])
    assert train(asked)
    expected, found = (checkpoint.load(path)[1] for path in (start, asked.checkpoint))
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_weights_of_another_size_are_refused(whole, tmp_path):
    with pytest.raises(Refused, match=r"toy/kernel \[2, 3\] not \[2, 5\]"):
        ask(tmp_path, run__from_checkpoint=str(whole / NAMES[0]), dyn__hidden=5)


def test_a_spec_and_output_paths_ask_for_the_same_training_as_flags(tmp_path):
    flags = ask(tmp_path, run__snapshots=[100])
    modules = ["dreamer.train", "tests.toy_family", "dreamer.envs.crafter"]
    spec = specs.build("run", 0, "train", flags.options, modules, flags.code, "lock")
    files.write_json(tmp_path / "spec.json", spec)
    outputs = {name: getattr(flags, name) for name in job.OUTPUTS}
    with pytest.raises(Refused, match=r"snapshots asks for \[100\], but --snapshots gives \[\]"):
        job.from_spec(tmp_path / "spec.json", outputs, None)
    with pytest.raises(Refused, match="--spec needs --state beside it"):
        job.from_spec(tmp_path / "spec.json", outputs | {"state": None}, None)
    asked = job.from_spec(tmp_path / "spec.json", outputs, [tmp_path / "snapshots/100.safetensors"])
    assert asked == flags._replace(spec=specs.name(spec))


def test_the_command_trains_by_hand_and_a_second_time_does_nothing(tmp_path):
    command = [sys.executable, "-m", "dreamer.train", "--configs", "crafter_small", "debug"]
    command += ["--agent", "tests.toy_family", "--seed", "3", "--run-dir", str(tmp_path)]
    command += ["--run.steps", "90", "--env.crafter.length", "25", "--platform", "cpu"]
    late = subprocess.run([*command, "--minutes", "1e-6"], capture_output=True, text=True)
    assert late.returncode == 75 and "the same command continues" in late.stderr
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "32 updates of 8 x 10 steps every 5 environment steps" in first.stderr
    assert checkpoint.load(tmp_path / NAMES[0])[0]["seed"] == 3
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "is finished; to train anew remove it" in second.stdout


def test_a_time_limit_that_is_over_before_it_begins_is_refused(tmp_path):
    with pytest.raises(Refused, match="--minutes is -1, but must be above zero"):
        training.main(run_dir=tmp_path, minutes=-1.0)
    assert not list(tmp_path.iterdir())


def test_a_signal_saves_and_leaves_with_a_reason():
    with stopping.stopper(None) as stop:
        assert stop() is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() == "signal SIGTERM"
    with stopping.stopper(1e-9) as stop:
        assert stop() == "1e-09 minutes are over"


@pytest.mark.parametrize(
    "flags, sentence",
    [
        ({"replay__context": 2}, "replay.context is 2, but .* exactly one step"),
        ({"run__snapshots": [400]}, "run.snapshots holds 400, but takes .* 1 to run.steps"),
        ({"run__from_checkpoint": "none.safetensors"}, "none.safetensors does not exist"),
        ({"agent": "tests.no_family"}, "no agent family 'tests.no_family'"),
        ({"replay__size": 20, "run__envs": 2}, "replay.size is 20, .* need at least 22"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(tmp_path, flags, sentence):
    with pytest.raises(Refused, match=sentence):
        ask(tmp_path, **flags)
    assert not list(tmp_path.iterdir())


def test_a_family_that_learns_from_data_is_refused_with_the_commands_for_it(tmp_path):
    with pytest.raises(Refused, match="from a data set.* dreamer.dataset, .*train_tokenizer"):
        job.by_hand(tmp_path, (), {"agent": "v4"})


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="this machine has a GPU")
def test_a_run_that_wants_a_gpu_and_finds_none_is_refused():
    with pytest.raises(Refused, match="platform gpu was asked for, but JAX finds only cpu"):
        platform.choose("gpu")
    assert platform.choose("auto") == "cpu"


@pytest.mark.parametrize(
    "ratio, words",
    [
        (512.0, "one update of 16 x 64 steps every 2 environment steps"),
        (1024.0, "one update of 16 x 64 steps every environment step"),
        (1536.0, "3 updates of 16 x 64 steps every 2 environment steps"),
        (0.0, "no updates"),
    ],
)
def test_the_ratio_is_said_in_words(ratio, words):
    run = {"train_ratio": ratio, "batch_size": 16, "batch_length": 64}
    assert progress.ratio(run) == words


def test_the_open_loop_strip_stands_truth_over_imagined_over_difference():
    truth = np.full((2, 3, 4, 5, 3), 200, np.uint8)
    frames = video.strip(truth, truth - 50)
    assert frames.shape == (3, 12, 10, 3)
    assert [int(frames[0, row, 0, 0]) for row in (0, 4, 8)] == [200, 150, 50]
    assert logs.gif(frames)[:6] == b"GIF89a"
