"""Time updates of several sizes, updates per call and unrollings: what a GPU should run with.

Each combination is timed by bench.update in a process of its own, so that memory is its own too.
"""

import itertools
import json
import subprocess
import sys

from jobs import cli
from jobs.errors import Refused

SIZES = ("size1m", "size12m", "size25m", "size50m", "size100m", "size200m")
COLUMNS = "updates/s", "compile s", "memory GB", "share of bf16 peak"


def main(
    sizes: list[str] | None = None,
    per_call: list[int] | None = None,
    unroll: list[int] | None = None,
    dtype: str = "auto",
    updates: int = 10,
):
    """Print a Markdown table of all combinations, then one JSON line with every figure."""
    found = []
    print("| size | per call | unroll |", " | ".join(COLUMNS), "|")
    print("|---|---|---|" + "---|" * len(COLUMNS), flush=True)
    for size, count, turns in itertools.product(sizes or SIZES, per_call or [1, 8], unroll or [1]):
        flags = {"size": size, "per-call": count, "unroll": turns}
        row = timed(flags | {"dtype": dtype, "updates": updates})
        found.append(row)
        print("|", " | ".join(map(str, (size, count, turns, *cells(row)))), "|", flush=True)
    print(json.dumps({"device": found[0]["device"], "rows": found}))


def timed(flags):
    """The JSON of one bench.update."""
    words = itertools.chain.from_iterable((f"--{name}", str(flags[name])) for name in flags)
    command = [sys.executable, "-m", "bench.update", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"{' '.join(command[1:])} failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def cells(row):
    """The columns of one row."""
    share = row["share_of_bf16_peak"]
    return (
        f"{1 / row['seconds_per_update']:.2f}",
        row["compile_seconds"],
        row["peak_memory_gb"],
        "unknown" if share is None else f"{share:.1%}",
    )


if __name__ == "__main__":
    cli.run(main)
