"""Try every family of environments: raw steps, steps with a policy, and a short training.

Each is tried in a process of its own; one that cannot run says why. Seconds are of processor time,
as other work may share the machine. The table of the document is
renewed row by row, so that a part of the families can be tried anew.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from dreamer import options, tasks
from dreamer.envs import vector
from dreamer.progress import Report
from dreamer.training import Training
from jobs import cli, files
from jobs.errors import Refused

TRIED = {  # task: presets, and how its packages are installed
    "gym_CartPole-v1": ("gym", "make setup"),
    "gym_Pendulum-v1": ("gym", "make setup"),
    "examples/own_environment.py:Corridor": ("gym", "make setup"),
    "gym_LunarLander-v3": ("box2d", "make env-box2d"),
    "gym_CarRacing-v3": ("box2d", "make env-box2d"),
    "atari_pong": ("atari", "make env-atari"),
    "atari100k_alien": ("atari100k", "make env-atari"),
    "dmc_walker_walk": ("dmc_proprio", "make env-dmc"),
    "dmc_cup_catch": ("dmc_vision", "make env-dmc"),
    "loconav_ant_maze_s": ("loconav", "make env-dmc"),
    "minigrid_FourRooms-v0": ("minigrid", "make env-minigrid"),
    "bsuite_cartpole/0": ("bsuite", "make env-bsuite"),
    "procgen_coinrun": ("procgen", "make env-procgen"),
    "memory_maze_9x9": ("memory_maze", "make env-memory_maze"),
    "dmlab_explore_goal_locations_small": ("dmlab", "by hand"),
    "minecraft_diamond": ("minecraft", "by hand"),
}
ALWAYS = {"run.envs": 1, "run.steps": 2000, "run.train_ratio": 4.0, "run.video_every": 0}
MARK = "<!-- bench.environments -->"
HEAD = (
    "| task (presets) | installed by | raw steps/s | collecting steps/s | 2,000 steps of `debug` |",
    "|---|---|---|---|---|",
)


def main(
    only: list[str] | None = None, seconds: float = 5.0, table: Path | None = None,
    alone: bool = False,
):  # fmt: skip
    """Try the tasks --only (all if not given), measuring for --seconds; renew a document's --table.

    --alone measures the first one in this process and prints JSON.
    """
    unknown = set(only or ()) - set(TRIED)
    if unknown:
        raise Refused(f"--only takes some of {', '.join(TRIED)}, not {', '.join(sorted(unknown))}")
    names = only or list(TRIED)
    if alone:
        print(json.dumps(measure(names[0], seconds)))
        return
    for name in names:
        line = row(name, apart(name, seconds))
        print(line, flush=True)
        if table:
            renew(table, name, line)


def apart(name, seconds):
    """What a process of its own finds: {raw, collect, train}, or {refused}."""
    command = [sys.executable, "-m", "bench.environments", "--alone", "--only", name]
    done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True, text=True)
    if done.returncode == 2:
        return {"refused": done.stderr.strip().removeprefix("error: ")}
    if done.returncode:
        return {"refused": f"it failed: {done.stderr.strip().splitlines()[-1]}"}
    return json.loads(done.stdout.splitlines()[-1])


def measure(name, seconds):
    """{raw, collect: steps/s; train: {seconds}} of a task with one environment."""
    tree = asked(name)
    block = tasks.options(tree)
    env = vector.build(name, block, 0, 0, 0)
    raw = pace(player(env), seconds)
    env.close()
    envs = vector.make(name, tree["env"], 1, 0)
    with tempfile.TemporaryDirectory() as folder, Report(1, "bench") as report:
        idle = options.override(tree, {"run.train_ratio": 0.0})
        collecting = Training(idle, envs, Path(folder), _Silent(), report)
        collecting.advance()  # compiles
        collect = pace(collecting.advance, seconds)
    envs.close()
    return {"raw": raw, "collect": collect, "train": train(name)}


def asked(name):
    """The option tree of a task's trial."""
    return options.resolve([*TRIED[name][0].split(), "debug"], {**ALWAYS, "task": name})


def player(env):
    """A function that takes a random step, or resets where an episode is over."""
    random, state = np.random.default_rng(0), {"over": True}

    def step():
        if state["over"]:
            env.reset()
            state["over"] = False
            return
        space = env.action_space
        discrete = hasattr(space, "n")
        action = random.integers(space.n) if discrete else random.uniform(-1, 1, space.shape)
        *_, dead, late, _ = env.step(action)
        state["over"] = dead or late

    step()
    return step


def pace(step, seconds):
    """Calls of `step` per second of processor time."""
    start, count = time.process_time(), 0
    while time.process_time() - start < seconds:
        step()
        count += 1
    return count / (time.process_time() - start)


def train(name):
    """{seconds} of a processor in a training by the command, or a refusal with what it said."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dreamer.train", "--configs", *TRIED[name][0].split()]
        command += ["debug", "--task", name, "--run-dir", folder]
        for option, value in ALWAYS.items():
            command += [f"--{option}", str(value)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Refused(f"the training failed: {done.stderr.strip().splitlines()[-1]}")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"seconds": used.ru_utime + used.ru_stime}


def row(name, found):
    """A line of the table."""
    presets, command = TRIED[name]
    head = f"| `{name}` (`{presets}`) | `{command}` |"
    if "refused" in found:
        return f"{head} – | – | not here: {found['refused']} |"
    rates = " | ".join(f"{found[key]:,.0f}" for key in ("raw", "collect"))
    return f"{head} {rates} | no error, {found['train']['seconds']:.0f} s with compilation |"


def renew(path, name, line):
    """Put a row into the table between the marks of a document."""
    before, body, after = path.read_text().split(MARK)
    lines = {text.split("`")[1]: text for text in body.splitlines() if text.startswith("| `")}
    lines[name] = line
    rows = [lines[key] for key in TRIED if key in lines]
    with files.atomic(path) as temporary:
        body = "\n".join(["", *HEAD, *rows, ""])
        temporary.write_text(before + MARK + body + MARK + after)


class _Silent(SimpleNamespace):
    """Instead of TensorBoard."""

    def scalars(self, step, row):
        """Nothing."""


if __name__ == "__main__":
    cli.run(main)
