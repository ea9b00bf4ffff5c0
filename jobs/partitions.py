"""Which partition of a cluster a job would go to, as Snakemake's SLURM plugin chooses it."""

from pathlib import Path
from unittest import mock

PROFILE = Path("profiles/slurm/partitions.yaml")


def chooser(path=PROFILE):
    """Function of a Snakemake job: the name of its partition, None where it fits none.

    `path` is the file of partitions; without one no job has a partition.
    """
    if not path.is_file():
        return lambda job: None
    from snakemake_executor_plugin_slurm import partitions

    known, silent = partitions.read_partition_file(path), mock.MagicMock()
    return lambda job: partitions.get_best_partition(known, job, silent)
