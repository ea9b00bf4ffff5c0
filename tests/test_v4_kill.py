"""Training commands of DreamerV4 that are killed end with the same bits; refusals leave nothing."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import fit_v4, sandbox

OFTEN = ["--run.save_every", "1e-6"]  # minutes: after every update


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """name -> folder with the phases up to `name` trained by commands that nothing stopped."""
    folder = fit_v4.write(tmp_path_factory.mktemp("kill")) / "whole"

    def through(last):
        for name in fit_v4.PHASES:
            if not fit_v4.path(name, folder).exists():
                finish(name, folder, folder)
            if name == last:
                return folder

    return through


def command(name, folder, whole, *more):
    """The process of a phase's command, which starts from the phase before in `whole`."""
    phase, data = fit_v4.PHASES[name], whole.parent
    flags = [word for item in fit_v4.SMALL.items() for word in (f"--{item[0]}", str(item[1]))]
    inputs = ["--dataset", data / "train.parquet", "--test", data / "test.parquet"]
    if phase.after:
        inputs += ["--start", fit_v4.before(phase, whole)]
    folder.mkdir(exist_ok=True)
    with open(folder / "log", "a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"dreamer.v4.{phase.command}", "--configs", "t0", "--run-dir",
             folder, *inputs, *flags, *more],
            stdout=log, stderr=log, cwd=sandbox.ROOT, env=fit_v4.environment(),
        )  # fmt: skip


def finish(name, folder, whole):
    assert command(name, folder, whole, *OFTEN).wait() == 0, (folder / "log").read_text()[-2000:]


def saves(name, folder):
    return {path.name for path in (folder / f"{name}.state").glob("*/0*.safetensors")}


def suffer(name, whole, folder, kills):
    """Kill a phase at random moments after a save, stop it by SIGTERM, and let it end."""
    rng, codes = np.random.default_rng(len(name)), []
    for number in range(kills):
        known = saves(name, folder)
        process = command(name, folder, whole, *OFTEN)
        while process.poll() is None and saves(name, folder) <= known:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGTERM if number == kills - 1 else signal.SIGKILL)
        codes.append(process.wait())
        assert codes[-1] in (-9, 75, 0), (folder / "log").read_text()[-2000:]
    finish(name, folder, whole)
    phase = fit_v4.PHASES[name]
    assert fit_v4.content(phase, folder) == fit_v4.content(phase, whole)
    return codes


def test_a_killed_phase_ends_with_the_same_bits(made, tmp_path):
    assert -9 in suffer("tokenizer", made("tokenizer"), tmp_path / "run", 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", fit_v4.PHASES)
def test_every_phase_killed_again_and_again_ends_with_the_same_bits(name, made, tmp_path):
    assert -9 in suffer(name, made(name), tmp_path / "run", 3)


def test_by_the_command_line_a_refusal_is_exit_code_2(tmp_path):
    fit_v4.write(tmp_path)
    folder = tmp_path / "run"
    assert command("finetune", folder, tmp_path / "none").wait() == 2
    assert {path.name for path in folder.iterdir()} == {"log"}
    assert "dynamics.safetensors does not exist" in (folder / "log").read_text()
