"""Trainings killed at many moments by SIGKILL end with the same bits as one left alone."""

import collections
import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.toy_training import NAMES

ROOT = Path(__file__).parent.parent
CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache/jax"))
OFTEN = ["--run.save_every", "1e-6"]  # minutes: after every step
OPTIONS = {
    "platform": "cpu",
    "env.crafter.length": 25,
    "run.train_ratio": 8.0,
    "run.log_every": 3,
    "run.video_every": 0,
}
ROUND = ("update", "restore", "save", "start-up", "step")  # never three in a row without progress
END = ("publish", "publish", "remove")
LAST = {"step": 20, "restore": 1, "save": 6, "update": 2, "publish": 1, "remove": 1}
QUICK = {("tests.toy_family", 1): 11, ("tests.toy_family", 4): 6, ("v3", 1): 4}
LONG = {("tests.toy_family", 1): 56, ("tests.toy_family", 4): 20, ("v3", 1): 14, ("v3", 4): 10}


class Victim:
    """A training in `folder` that is started again and again."""

    def __init__(self, folder, agent, envs, kills):
        self.folder, self.kills, self.seed = folder, kills, [kills, envs]
        asked = {"agent": agent, "run.envs": envs, "run.steps": envs * (100 + 10 * kills)}
        asked["replay.sampler"] = "uncertainty" if envs > 1 else "uniform"
        flags = [(f"--{name}", str(value)) for name, value in (OPTIONS | asked).items()]
        self.flags = ["--configs", "crafter_small", "debug", *itertools.chain(*flags)]
        self.notes = folder / "notes"
        folder.mkdir(parents=True)

    def start(self, name, *more, where="-"):
        """The process of the training command with results in the folder `name`."""
        command = [sys.executable, "-m", "tests.mortal", self.notes, where, *self.flags, *more]
        with open(self.folder / f"{name}.log", "a") as log:
            return subprocess.Popen(
                [*command, "--run-dir", self.folder / name],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={
                    **os.environ,
                    "MORTAL": str(self.folder),
                    "OMP_NUM_THREADS": "1",
                    "JAX_COMPILATION_CACHE_DIR": f"{CACHE}-killed",  # a kill may damage an entry
                    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
                },
            )

    def finish(self, name, *more):
        """Run without a kill; the calls in each phase."""
        code = self.start(name, *more).wait()
        assert code == 0, (self.folder / f"{name}.log").read_text()[-2000:]
        return json.loads(self.notes.read_text())

    def moments(self, calls):
        """(phase, occurrence, call) of every kill, at random; for a start-up (phase, seconds)."""
        rng, end = np.random.default_rng(self.seed), END[: 1 + self.kills // 5]
        begin = (ROUND * self.kills)[: self.kills - len(end)]
        for phase in (*begin, *end):
            if phase == "start-up":
                yield phase, rng.uniform(0.1, 1.5)
            else:
                first = 2 if phase in ("step", "save") else 1
                occurrence = rng.integers(first, LAST[phase] + 1)
                yield phase, occurrence, rng.integers(1, calls[phase] + 1)

    def kill(self, phase, *moment):
        """Start, kill at the moment, and tell the phase in which the process died."""
        self.notes.unlink(missing_ok=True)
        timed = phase == "start-up"
        where = "-" if timed else ":".join(map(str, (phase, *moment)))
        process = self.start("killed", *OFTEN, where=where)
        if timed:
            time.sleep(moment[0])
            process.kill()
        code = process.wait()
        assert code == -9, (code, phase, (self.folder / "killed.log").read_text()[-2000:])
        assert not self.orphans(), "processes of a killed training stayed"
        found = self.notes.read_text().strip() if self.notes.exists() else ""
        return found or "start-up"

    def orphans(self, patience=20.0):
        """Processes of this victim that do not go."""
        end = time.monotonic() + patience
        while (left := list(processes(f"MORTAL={self.folder}"))) and time.monotonic() < end:
            time.sleep(0.02)
        return left

    def suffer(self):
        """All kills, then the end; returns {phase: kills} and how often a training started."""
        calls = self.finish("whole")
        died = collections.Counter(self.kill(*moment) for moment in self.moments(calls))
        self.finish("killed", *OFTEN)
        whole, killed = (
            [self.folder / name / item for item in NAMES] for name in ("whole", "killed")
        )
        assert [path.read_bytes() for path in whole] == [path.read_bytes() for path in killed]
        assert not list((self.folder / "killed/train.state").glob("[!lf]*"))
        return died


def processes(text):
    """Ids of the processes whose environment holds `text`."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{text}\0".encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


def massacre(folder, plan, capsys):
    """Kill as planned {(agent, envs): kills}, print where they died, and check that all was met."""
    victims = [
        Victim(folder / f"{agent}-{envs}", agent, envs, n) for (agent, envs), n in plan.items()
    ]
    with ThreadPoolExecutor(len(plan)) as pool:
        died = list(pool.map(Victim.suffer, victims))
    total = sum(died, collections.Counter())
    with capsys.disabled():
        print(f"\n{total.total()} kills, all with equal bits in the end")
        for (agent, envs), counts in [*zip(plan, died, strict=True), (("all", "1 or 4"), total)]:
            words = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            print(f"  {agent} in {envs} environments, killed in: {words}")
    assert total.total() == sum(plan.values())
    assert set(total) >= {*ROUND, *END}


def test_twenty_kills_in_all_phases_change_no_bit(tmp_path, capsys):
    massacre(tmp_path, QUICK, capsys)


@pytest.mark.slow
def test_a_hundred_kills_in_all_phases_change_no_bit(tmp_path, capsys):
    massacre(tmp_path, LONG, capsys)
