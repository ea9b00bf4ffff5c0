"""Stopped by a signal at any time, training says so, leaves nobody behind, and can go on."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dreamer import session, stopping
from tests.test_kill import processes
from tests.toy_training import after, ask, content, train

ROOT = Path(__file__).parent.parent
FLAGS = {"task": "tests.toy_world", "run__envs": 2, "run__steps": 1200}


def command(folder, *more):
    """The training command in a terminal of its own: its signals reach the workers too."""
    asked = ask(folder, **FLAGS)
    words = [sys.executable, "-m", "dreamer.train", "--configs", "crafter_small", "debug"]
    options = {"run": ("steps", "envs", "train_ratio", "log_every"), "": ("agent", "task")}
    for block, names in options.items():
        values = asked.options[block] if block else asked.options
        for name in names:
            words += [f"--{block}.{name}".replace("--.", "--"), str(values[name])]
    return subprocess.Popen(
        [*words, "--env.crafter.length", "25", "--run-dir", folder, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MORTAL": str(folder)},
        start_new_session=True,
    )


def workers(folder):
    """Ids of the environments' processes that run so far."""
    found = (Path(f"/proc/{item}/cmdline") for item in processes(f"MORTAL={folder}"))
    return [path for path in found if b"spawn_main" in path.read_bytes()]


def test_signals_and_the_clock_stop_and_the_same_command_continues(tmp_path):
    process = command(tmp_path)
    while not workers(tmp_path):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C while the workers start
    said, _ = process.communicate()
    assert process.returncode == 75 and "Traceback" not in said, said
    assert "signal SIGINT before the first step, so there is nothing new to save" in said
    assert not list(processes(f"MORTAL={tmp_path}"))

    process = command(tmp_path)
    while not list(tmp_path.glob("train.state/*/rows/*")):  # the first step has been stored
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == 75 and "signal SIGTERM: saved at step" in said, said

    process = command(tmp_path, "--minutes", "0.0001")
    said, _ = process.communicate()
    assert process.returncode == 75 and "0.0001 minutes are over" in said, said

    process = command(tmp_path)
    said, _ = process.communicate()
    assert process.returncode == 0 and "continuing from step" in said, said
    assert train(ask(tmp_path / "whole", **FLAGS))
    assert content(tmp_path) == content(tmp_path / "whole")
    assert not list(processes(f"MORTAL={tmp_path}"))


def test_a_second_ctrl_c_leaves_at_once_and_no_worker_behind(tmp_path):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    asked = ask(tmp_path, **FLAGS)
    with pytest.raises(KeyboardInterrupt), stopping.stopper(None):
        session.run(asked, "cpu", twice)
    assert not multiprocessing.active_children()
    assert not train(asked, after(1))
