"""Time Crafter in one process, steps and new worlds, beside the package's own environment.

Both play the same random actions; processor time is given, as other work may share the machine.
"""

import json
import statistics
import time

import crafter as package
import numpy as np

from dreamer import options
from dreamer.envs import crafter
from jobs import cli


def main(steps: int = 1000, rounds: int = 5):
    """Print milliseconds per step and per reset, ours and the package's, as one JSON line."""
    tree = options.resolve(["crafter"])
    envs = {"ours": crafter.make(tree["env"]["crafter"], 0, 0), "package": package.Env(seed=0)}
    actions = np.random.default_rng(0).integers(17, size=steps)
    for env in envs.values():
        play(env, actions[:50])
    rows = [{name: play(env, actions) for name, env in envs.items()} for _ in range(rounds)]
    found = {"steps": steps, "rounds": rounds}
    for index, what in enumerate(("step", "reset")):
        spent = {name: [row[name][index] for row in rows] for name in envs}
        found |= {f"{what}_ms_{name}": round(statistics.median(spent[name]), 3) for name in envs}
        ratios = [old / new for old, new in zip(spent["package"], spent["ours"], strict=True)]
        found[f"{what}_ratio"] = round(statistics.median(ratios), 1)
    print(json.dumps(found))


def play(env, actions):
    """Milliseconds of processor time (per step, per reset)."""
    spent, resets, over = {"step": 0.0, "reset": 0.0}, 0, True
    for action in actions:
        start = time.process_time()
        if over:
            env.reset()
            over, name, resets = False, "reset", resets + 1
        else:
            _, _, ended, *more = env.step(action)
            over, name = ended or more[0] is True, "step"
        spent[name] += time.process_time() - start
    return 1000 * spent["step"] / (len(actions) - resets), 1000 * spent["reset"] / resets


if __name__ == "__main__":
    cli.run(main)
