"""How much memory and time does the tuning of a large recording take?

`python -m bench.memory_tuning` writes 100 episodes of 500 steps with one layer of 3,072 units, runs
the tuning command on it as a process of its own, and prints its peak and time as JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.cells import OPTIONS
from tests import synthetic


def recording(path, units, episodes, steps):
    """Write a recording of walks over an arena, half place fields and half noise."""

    def layer(item, rng):
        half = units // 2
        fields = synthetic.place_fields(half, 3)(item, rng)
        noise = rng.normal(size=(len(item.x), units - half))
        return np.concatenate([fields, noise], 1).astype("float32")

    synthetic.recording(path, episodes, steps, area=(40, 40), layers={"dyn/deter": layer})


def main():
    """Write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("units", 3072), ("episodes", 100), ("steps", 500), ("draws", 19)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        recording(path / "trajectory.parquet", chosen.units, chosen.episodes, chosen.steps)
        options = OPTIONS | {"n_null": chosen.draws}
        spec = synthetic.spec(path / "spec.json", "tuning", options)
        names = {"tuning": "t.parquet", "null": "n.parquet", "maps": "m.npz", "scores": "s.json"}
        words = [word for name, file in names.items() for word in (f"--{name}", path / file)]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "analysis.tuning", "--spec", spec,
             "--trajectory", path / "trajectory.parquet", *words],
            check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"peak_gib": round(used.ru_maxrss / 2**20, 2), "seconds": round(seconds, 1),
             "cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}  # fmt: skip
    print(json.dumps({**vars(chosen), **found}))


if __name__ == "__main__":
    main()
