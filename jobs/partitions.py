"""Which partition of a cluster a job would go to, as Snakemake's SLURM plugin chooses it."""

import logging
from pathlib import Path

from jobs.errors import Refused

PROFILE = Path("profiles/slurm/partitions.yaml")


def chooser(path=PROFILE):
    """Function of a Snakemake job: the name of its partition, None where it fits none.

    `path` is the file of partitions; without one no job has a partition.
    """
    if not path.is_file():
        return lambda job: None
    from snakemake_executor_plugin_slurm import partitions

    known, silent = partitions.read_partition_file(path), logging.Logger("silent", logging.CRITICAL)
    return lambda job: partitions.get_best_partition(known, job, silent)


def check(flow):
    """Refuse to start a Snakemake workflow with a job that fits no partition.

    The plugin would send it to the default one, where it waits for ever or fails.
    """
    path = getattr(flow.executor_settings, "partition_config", None)
    partition = chooser(Path(path)) if path else None
    for job in flow.dag.needrun_jobs() if path else ():
        local, own = job.rule.name in flow._localrules, job.resources.get("slurm_partition")
        if not (local or own or partition(job)):
            names = ("gpu", "gpu_model", "gres", "mem_mb", "runtime")
            asked = {name: job.resources.get(name) for name in names} | {"threads": job.threads}
            words = ", ".join(f"{name}={value}" for name, value in asked.items() if value)
            raise Refused(
                f"rule {job.rule.name} asks for {words}, and no partition in {path} has that; "
                "correct the file, or ask for less by set-resources in the profile"
            )
