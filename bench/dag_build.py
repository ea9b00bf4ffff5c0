"""Make every file of a planned study without computing anything, for `bench.dag`.

Each file holds its own name; Snakemake's records and the sidecars are the real ones.
"""

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings import types

from jobs import files, stages
from jobs.plan import FOLDER


def main(config):
    """Write outputs, records and sidecars of the study that `config` describes."""
    quiet = types.OutputSettings(quiet={types.Quietness.ALL})
    with SnakemakeApi(quiet) as api:
        made = api.workflow(
            resource_settings=types.ResourceSettings(cores=1),
            config_settings=types.ConfigSettings(configfiles=[Path(config)]),
            snakefile=Path("Snakefile"),
        )
        with contextlib.redirect_stdout(io.StringIO()):
            made.dag(types.DAGSettings()).summary()  # builds the graph
        workflow = made._workflow
        workflow.execution_settings = types.ExecutionSettings()
        workflow.iocache.deactivate()  # it holds that no file exists yet
        now = time.time()
        sidecars(outputs(workflow.dag, now), now)
        workflow.async_run(record(workflow.dag))


def outputs(dag, now):
    """Write what every job makes; returns the names of the files."""
    names = [str(name) for job in dag.jobs for name in job.output]
    for name in names:
        place(name, name, now)
    return set(names)


def sidecars(names, now):
    """Say of every first output which spec made it."""
    for path in FOLDER.glob("*.json"):
        spec = files.read_json(path)
        if "rule" not in spec:
            continue
        name = stages.sidecar(spec["rule"], spec["run"], spec["seed"])
        made = name.removesuffix(".prov.json")
        if name in names:
            hashes = {Path(made).name: files.sha256(Path(made))}
            facts = {
                **{"spec": path.name, "command": [spec["rule"]], "outputs": hashes, "inputs": {}},
                **{"started": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "host": "host"},
                **{"commit": "0" * 40, "dirty": False, "slurm_job": None, "device": None},
            }
            place(name, json.dumps(facts), now)


def place(name, text, now):
    """Write a file with the same time as all the others."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (now, now))


async def record(dag):
    """Tell Snakemake that every job has run."""
    for job in dag.jobs:
        if job.output:
            await dag.workflow.persistence.finished(job)


if __name__ == "__main__":
    main(sys.argv[1])
