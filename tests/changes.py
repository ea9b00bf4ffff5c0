"""Ways to change a finished sandbox: its options, code, files, and the records of them."""

import json
import os
import shutil

import yaml

from tests import sandbox

SEED = "results/smoke/seed0/"


def option(**blocks):
    """Replace settings of the configuration."""
    return lambda project: sandbox.change(project, **blocks)


def trained(name, value):
    """Replace an option of the training."""

    def do(project):
        run = yaml.safe_load((project / sandbox.CONFIG).read_text())["runs"][0]
        sandbox.change(project, runs=[run | {"options": run["options"] | {name: value}}])

    return do


def edit(*changes):
    """Replace texts in files: (path, old, new)."""

    def do(project):
        for path, old, new in changes:
            sandbox.edit(project / path, old, new)

    return do


def write(path):
    """Put other content into a file."""
    return lambda project: (project / path).write_bytes(b"other content")


def remove(*paths):
    """Delete files and folders."""

    def do(project):
        for path in paths:
            found = project / path
            shutil.rmtree(found) if found.is_dir() else found.unlink()

    return do


def touch(project):
    """Give every file of the project, results included, the time of now."""
    for path in project.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)


def moved(project):
    """Results on another machine with neither records nor file times: what is made is older."""
    shutil.rmtree(project / ".snakemake")
    files = [path for path in (project / "results").rglob("*") if path.is_file()]
    for path in files:
        is_spec = path.parent.name == "specs"
        os.utime(
            path, (2_000_000_000, 2_000_000_000) if is_spec else (1_000_000_000, 1_000_000_000)
        )


def interrupted(project):
    """Snakemake's mark of a job that was killed."""
    marks = project / ".snakemake/incomplete"
    for path in (project / ".snakemake/metadata").iterdir():
        if path.name.startswith("cmVzdWx0cy9zbW9rZS9zZWVkMC90cmFpbmluZ19jdXJ2"):  # its base64
            (marks / path.name).write_text('{"external_jobid": null}')


def unrecorded(project):
    """A result that was made by other options, while no main process wrote a record."""
    path = project / SEED / "tuning.parquet.prov.json"
    record = json.loads(path.read_text()) | {"spec": "smoke.seed0.tuning.00000000.json"}
    os.utime(_written(path, json.dumps(record)), (1_000_000_000, 1_000_000_000))
    shutil.rmtree(project / ".snakemake/metadata")


def outlived(project):
    """The same beside Snakemake's record of an earlier job that had the present options."""
    path = project / SEED / "behavior.json.prov.json"
    record = json.loads(path.read_text()) | {"spec": "smoke.seed0.behavior.00000000.json"}
    _written(path, json.dumps(record))
    os.utime(path, ns=(os.stat(project / SEED / "behavior.json").st_mtime_ns,) * 2)


def _written(path, text):
    path.write_text(text)
    return path


def asked_of_a_cluster(project):
    """Other GPUs, partitions, memory and time, and how often a training is saved."""
    sandbox.change(project, cluster={"gpu_train": "b200", "gpu_other": "b200"})
    trained("run.save_every", 1.0)(project)
    sandbox.edit(project / "rules/agent.smk", "mem_mb=16000", "mem_mb=32000")
    sandbox.edit(project / "rules/analysis.smk", 'runtime="8h"', 'runtime="9h"')
    sandbox.edit(project / "profiles/slurm/partitions.yaml", "max_mem_mb: 2", "max_mem_mb: 3")
