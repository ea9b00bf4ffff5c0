"""A job that no partition of the cluster has room for stops the workflow before it begins."""

from types import SimpleNamespace as Record

import pytest

from jobs import partitions
from jobs.errors import Refused

TRAINING = {"gpu": 1, "gpu_model": "h100", "mem_mb": 16000, "runtime": 720}


def flow(path=partitions.PROFILE, threads=4, local=(), **resources):
    """What `check` asks of a Snakemake workflow with one job."""
    rule, asked = Record(name="train_seed"), TRAINING | resources
    job = Record(rule=rule, name=rule.name, resources=asked, threads=threads)
    dag = Record(needrun_jobs=lambda: [job])
    return Record(
        executor_settings=Record(partition_config=path) if path else None,
        _localrules=local,
        dag=dag,
    )


@pytest.mark.parametrize(
    "more, words",
    [
        ({"runtime": 1441}, "runtime=1441"),
        ({"mem_mb": 10**6}, "mem_mb=1000000"),
        ({"gpu_model": "b200"}, "gpu_model=b200"),
        ({"gpu": 5}, "gpu=5"),
        ({"threads": 33}, "threads=33"),
    ],
)
def test_a_job_that_fits_nowhere_is_named_with_what_it_asks_for(more, words):
    with pytest.raises(Refused, match=f"rule train_seed asks for .*{words}.*partitions.yaml has"):
        partitions.check(flow(**more))


@pytest.mark.parametrize(
    "more",
    [{}, {"path": None, "gpu": 99}, {"local": {"train_seed"}, "gpu": 99}]
    + [{"slurm_partition": "mine", "gpu": 99}],
)
def test_all_else_may_start(more):
    partitions.check(flow(**more))
