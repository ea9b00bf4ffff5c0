"""Time collection (environments, policy, replay; no updates) against raw stepping, in one run.

Rounds interleave three arms: the training's own loop, the same actions played again without a
policy, and the policy alone. Without overlap, collection can reach t_env / (t_env + t_policy) of
raw stepping.
"""

import json
import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np

from dreamer import options
from dreamer.envs import vector
from dreamer.progress import Report
from dreamer.training import Training
from jobs import cli


def main(
    envs: int = 8,
    size: str = "size1m",
    steps: int = 8000,
    rounds: int = 10,
    preset: str = "crafter",
):
    """Print environment steps/s of both, the bound, and the share of it, as one JSON line."""
    tree = options.resolve([preset, size], {"run.envs": envs, "run.train_ratio": 0.0})
    count = max(1, steps // (envs * rounds))
    live, again = (vector.make(tree["task"], tree["env"], envs, tree["seed"]) for _ in range(2))
    try:
        with tempfile.TemporaryDirectory() as folder, Report(steps, "bench") as report:
            training = Training(tree, live, Path(folder), _Silent(), report)
            again.reset()
            training.advance()
            measure(training, again, count)  # compiles, and fills caches
            found = [measure(training, again, count) for _ in range(rounds)]
    finally:
        live.close()
        again.close()
    about = {"envs": envs, "size": size, "preset": preset, "steps": count * envs * rounds}
    about |= {"cores": len(os.sched_getaffinity(0)), "platform": jax.default_backend()}
    print(json.dumps(about | summary(found, envs)))


def measure(training, again, count):
    """(wall-clock, processor) seconds per step of all environments: {collect, env, policy}."""
    driver, taken, found = training.driver, [], {}
    with spent(found, "collect", driver.envs, count):
        for _ in range(count):
            taken.append(driver.action)
            training.advance()
    with spent(found, "env", again, count):
        for action in taken:
            observation = again.step(action)[0]
    observation = {**observation, "is_first": np.zeros(driver.count, bool)}
    keys = jax.random.split(jax.random.key(0), driver.count)
    with spent(found, "policy", driver.envs, count):
        for _ in range(count):
            jax.device_get(training.learner.policy(driver.carry, observation, keys)[1:])
    return found


@contextmanager
def spent(found, name, envs, count):
    """Notes what `count` repetitions of the block took, each in this process and its workers."""
    start = time.perf_counter(), processor(envs)
    yield
    now = time.perf_counter(), processor(envs)
    found[name] = tuple((new - old) / count for new, old in zip(now, start, strict=True))


def processor(envs):
    """Processor seconds so far of this process and of the workers of `envs`."""
    total = time.process_time()
    for worker in getattr(envs, "processes", ()):
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def summary(found, envs):
    """Medians over the rounds; shares are medians of each round's own.

    `cpu_share` is what environments and policy take of all processor time: unlike the clock, it
    tells the loop's own cost on a machine that is busy with other work too.
    """
    wall, cpu = ([{name: row[name][which] for name in row} for row in found] for which in (0, 1))
    median = {name: statistics.median(row[name] for row in wall) for name in wall[0]}
    bounds = [row["env"] / (row["env"] + row["policy"]) for row in wall]
    shares = [row["env"] / row["collect"] for row in wall]
    of_bound = [share / bound for share, bound in zip(shares, bounds, strict=True)]
    of_cpu = [(row["env"] + row["policy"]) / row["collect"] for row in cpu]
    return {
        "collect_steps_per_second": round(envs / median["collect"], 1),
        "raw_steps_per_second": round(envs / median["env"], 1),
        "t_env": round(median["env"], 6),
        "t_policy": round(median["policy"], 6),
        "bound": round(statistics.median(bounds), 3),
        "share_of_raw": round(statistics.median(shares), 3),
        "share_of_bound": round(statistics.median(of_bound), 3),
        "cpu_share": round(statistics.median(of_cpu), 3),
    }


class _Silent(SimpleNamespace):
    """Instead of TensorBoard."""

    def scalars(self, step, row):
        """Nothing."""


if __name__ == "__main__":
    cli.run(main)
