"""How long do a dry run, an up-to-date check and the provenance report take for a large study?

`python -m bench.dag --runs 20 --seeds 10 --layers 13` plans a study in a copy of the project, once
with nothing built and once with every file there and recorded, and prints one line of JSON. Layers
make no jobs of their own (one job of an analysis goes through all of them), so that the study gets
further seeds until it has at least --jobs jobs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from jobs import cli, closure, plan, settings, stages

CONFIG = "big.yaml"
LEFT_OUT = shutil.ignore_patterns(".*", "results", "runs", "__pycache__", "*.npz")
ONCE = 4  # compare, plot_compare, report, all


def main(
    runs: int = 20,
    seeds: int = 10,
    layers: int = 13,
    jobs: int = 10_000,
    folder: Path | None = None,
):
    """Print seconds, processor seconds and memory (MB) of the three as one line of JSON."""
    work = Path(tempfile.mkdtemp(prefix="dag.", dir=folder)) / "project"
    try:
        shutil.copytree(closure.ROOT, work, symlinks=True, ignore=LEFT_OUT)
        per_seed, others = stages_of(study(runs, seeds, layers))
        seeds = max(seeds, -(-(jobs - others) // per_seed))
        (work / CONFIG).write_text(yaml.safe_dump(study(runs, seeds, layers)))
        found = {"runs": runs, "seeds": seeds, "layers": layers, "jobs": per_seed * seeds + others}
        dry = ["snakemake", "--dry-run", "--configfile", CONFIG, "--quiet", "all"]
        found["dry_run"] = timed(work, dry)
        found["build"] = timed(work, ["bench.dag_build", CONFIG])
        found["up_to_date"] = timed(work, dry)
        report = ["analysis.provenance", "--configfile", CONFIG, "--html", "provenance.html"]
        found["provenance"] = timed(work, report)
    finally:
        shutil.rmtree(work.parent)
    print(json.dumps(found))


def study(runs, seeds, layers):
    """The configuration: runs that differ in an option, each with the optional stages."""
    options = {"run.snapshots": [1000], "run.platform": "cpu"}
    return {
        "runs": [
            {
                "name": f"run{number:02}",
                "seeds": list(range(seeds)),
                "configs": ["crafter_small", "tiny"],
                "options": options | {"run.steps": 10_000 + number},
            }
            for number in range(runs)
        ],
        "position": {"layers": [f"dyn/layer{number}" for number in range(layers)]},
    }


def stages_of(config):
    """How many jobs a study has per seed, and how many that are not per seed."""
    schema = closure.ROOT / "rules/config.schema.yaml"
    made = plan.make(settings.read(config, schema, CONFIG))
    patterns = [
        stages.STAGES[name].first for run in made.config["runs"] for name in made.stages(run)
    ]
    per_seed = sum("{seed}" in pattern for pattern in patterns)
    return per_seed, len(patterns) - per_seed + ONCE


def timed(folder, words):
    """Wall seconds, processor seconds and peak memory in MB of `python -m words`."""
    log, start = folder / "log", time.perf_counter()
    with open(log, "w") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=folder, stdout=file, stderr=file
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"error: {' '.join(words)} failed:\n{log.read_text()[-3000:]}")
    return {
        "s": round(time.perf_counter() - start, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "mb": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    cli.run(main)
