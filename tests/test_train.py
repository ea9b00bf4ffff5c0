"""Training: the ratio is exact, equal seeds give equal bits, and stopping changes nothing."""

import os
import signal
import subprocess
import sys
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import checkpoint, job, logs, platform, progress, session, state, trajectory, video
from dreamer.envs import vector
from jobs import files, specs
from jobs.errors import Refused
from tests import toy_family, toy_world

TOY = {
    "agent": "tests.toy_family",
    "env.crafter.length": 25,
    "run.steps": 300,
    "run.train_ratio": 8.0,
    "run.log_every": 3,
    "run.video_every": 200,
    "run.save_every": 0.0,
}
NAMES = ("checkpoint.safetensors", "metrics.parquet", "episodes.parquet")


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Environments in this process: what they do is tested in test_vector."""
    monkeypatch.setattr(vector, "make", toy_world.in_process)


def ask(folder, **more):
    flags = {name.replace("__", "."): value for name, value in more.items()}
    return job.by_hand(folder, ["crafter_small", "debug"], TOY | flags)


def after(steps):
    """A stop function that lets `steps` steps of all environments pass."""
    left = iter([None] * steps)
    return lambda: next(left, "enough")


def train(asked, stop=lambda: None):
    return session.run(asked, "cpu", stop)


def content(folder):
    return [(folder / name).read_bytes() for name in NAMES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of an uninterrupted training in three environments."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector, "make", toy_world.in_process)
        assert train(ask(folder, run__envs=3))
    return folder


def test_a_finished_training_leaves_its_results_and_no_state(whole):
    header, values = checkpoint.load(whole / NAMES[0])
    assert header["step"] == 300 and header["agent"] == "tests.toy_family"
    assert set(values) == {"toy/kernel", "toy/readout/kernel"}
    assert not list((whole / "train.state").iterdir())


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


def test_stopping_and_continuing_changes_no_bit(whole, tmp_path):
    asked = ask(tmp_path, run__envs=3)
    for steps in (1, 41, 13, 29, 15):
        assert not train(asked, after(steps))
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_a_run_killed_after_a_save_continues_from_it(whole, tmp_path, monkeypatch):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(50))

    def killed(*_):
        raise ConnectionError("as if the machine went down")

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(session, "_publish", killed)
        patch.setattr("dreamer.state.Store.save", lambda *_: None)
        train(asked)
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_a_damaged_newest_save_falls_back_to_the_one_before(whole, tmp_path):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(40)) and not train(asked, after(20))
    newest = max(asked.state.glob("*/[0-9]*/state.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-7])
    with pytest.warns(UserWarning, match="cut off .* continuing from the save before it"):
        assert train(asked)
    assert content(tmp_path) == content(whole)


def test_only_the_two_newest_saves_are_kept(tmp_path):
    asked = ask(tmp_path, run__envs=3)
    for _ in range(4):
        train(asked, after(5))
    names = sorted(path.parent.name for path in asked.state.glob("*/[0-9]*/state.safetensors"))
    assert names == [f"{steps:012d}" for steps in (45, 60)]


def test_more_steps_continue_an_unfinished_run(whole, tmp_path):
    assert not train(ask(tmp_path, run__envs=3, run__steps=200), after(60))
    assert train(ask(tmp_path, run__envs=3))
    assert content(tmp_path) == content(whole)


def test_a_changed_option_starts_anew_and_says_which(tmp_path, capsys):
    assert not train(ask(tmp_path), after(90))
    assert not train(ask(tmp_path, opt__lr=0.5), after(10))
    said = capsys.readouterr().out
    assert "starting anew" in said and "opt.lr 4e-05 -> 0.5" in said and "the code" not in said


def test_another_platform_or_log_cadence_is_the_same_training(tmp_path):
    same = ask(tmp_path, run__platform="cpu", run__log_every=7, run__save_every=1.0, run__steps=9)
    assert same.identity() == ask(tmp_path).identity()
    assert ask(tmp_path, seed=1).identity() != ask(tmp_path).identity()


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


def test_a_loss_that_is_not_a_number_stops_with_its_name_and_keeps_the_state(tmp_path, monkeypatch):
    asked, real = ask(tmp_path), toy_family.train
    assert not train(asked, after(120))

    def broken(state, batch, key):
        state, metrics, fresh = real(state, batch, key)
        return state, metrics | {"loss/rec": metrics["loss/rec"] / 0.0 * 0.0}, fresh

    monkeypatch.setattr(toy_family, "train", broken)
    with pytest.raises(Refused, match="loss/rec became nan in update 5 at environment step 130"):
        train(asked)
    assert len(list(asked.state.glob("*/000000000120/state.safetensors"))) == 1


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


def test_a_state_keeps_every_number_type_exactly(tmp_path):
    tree = {"a": jnp.arange(3, dtype=jnp.bfloat16), "b": (jnp.float32(0.1), jnp.zeros((), bool))}
    checkpoint.save(tmp_path / "x.safetensors", state.arrays("tree", tree), {})
    _, arrays = checkpoint.arrays(tmp_path / "x.safetensors")
    again = state.tree("tree", tree, arrays)
    assert jax.tree.all(
        jax.tree.map(lambda x, y: x.dtype == y.dtype and (x == y).all(), tree, again)
    )


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
    assert "is finished; remove it to train anew" in second.stdout


def test_a_second_trainer_waits_until_the_first_has_left(tmp_path):
    said, order = [], []

    def second():
        with state.locked(tmp_path, said.append):
            order.append("second")

    with state.locked(tmp_path, said.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and "waiting until it ends" in said[0]


def test_a_signal_saves_and_leaves_with_a_reason():
    with session.stopper(None) as stop:
        assert stop() is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() == "signal SIGTERM"
    with session.stopper(1e-9) as stop:
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


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="this machine has a GPU")
def test_a_run_that_wants_a_gpu_and_finds_none_is_refused():
    with pytest.raises(Refused, match="platform gpu was asked for, but JAX finds only cpu"):
        platform.choose("gpu")
    assert platform.choose("auto") == "cpu"


def test_the_real_agent_gives_equal_bits_twice_even_if_stopped_between(tmp_path):
    flags = {"agent": "v3", "run__train_ratio": 4.0, "run__video_every": 150}
    assert train(ask(tmp_path / "one", **flags))
    assert not train(ask(tmp_path / "two", **flags), after(173))
    assert train(ask(tmp_path / "two", **flags))
    assert content(tmp_path / "one") == content(tmp_path / "two")


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
