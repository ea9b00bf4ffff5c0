"""The workflow on SLURM, told from SLURM's own records of its jobs."""

import json
import re
from datetime import datetime

from tests import sandbox

H100, A100 = ("gpu_h100", "gres:gpu:h100:1"), ("gpu_a100", "gres:gpu:a100:1")
CPU = ("cpu", None)
QUICK = {"agent": "tests.toy_family", "run.steps": 200, "run.envs": 1}
WHERE = {
    "train": H100,
    **dict.fromkeys(("record", "untrained", "snapshots", "dream"), A100),
    **dict.fromkeys(("position", "over_training", "tuning"), CPU),
    **dict.fromkeys(("dreams", "behavior", "training"), CPU),
}


def where(study):
    """{rule: (partition, GPUs asked for)} of a study's jobs, each of which ran once."""
    jobs = study.jobs()
    assert len({study.rule(job) for job in jobs}) == len(jobs)
    return {study.rule(job): (job["Partition"], job.get("TresPerJob")) for job in jobs}


def test_every_job_of_the_study_runs_in_the_partition_of_its_kind(study):
    found = study().run()
    assert where(found) == WHERE
    assert {job["JobState"] for job in found.jobs()} == {"COMPLETED"}
    assert "smoke, seed 0" in (found.folder / "results/report.html").read_text()
    by_rule = {found.rule(job): job["JobId"] for job in found.jobs()}
    info = json.loads((found.folder / "results/smoke/seed0/run_info.json").read_text())
    made = {stage: item["slurm_job"] for stage, item in info.items() if item["slurm_job"]}
    assert made == by_rule  # the others take seconds, and run beside Snakemake
    assert not sandbox.planned(found.folder)


def test_a_site_sets_account_constraint_and_gres_in_one_place_each(study):
    found = study(**QUICK)
    sandbox.change(found.folder, cluster={"gres": True, "gpu_train": "a100"})
    asked = {"mem_mb": 8000, "runtime": 60, "slurm_account": "neuro", "constraint": "fast"}
    found.profile(**{"default-resources": asked}).run("train")
    (job,) = found.jobs()
    assert (job["Partition"], job["TresPerNode"]) == ("gpu_a100", "gres:gpu:a100:1")
    assert (job["Account"], job["Features"]) == ("neuro", "fast")


def test_a_training_that_finds_no_gpu_fails_at_once_and_says_why(study, cluster):
    """The job fails after one attempt; it does not train on the CPU, nor try again by itself."""
    found = study(pretend=False).start("train")
    sentence = "error: platform gpu was asked for, but JAX finds only cpu here"
    cluster.wait(lambda: sentence in found.output.read_text(), "the reason was told")
    found.kill()
    first = found.jobs()[0]
    assert (first["Partition"], first["TresPerJob"]) == H100 and first["JobState"] == "FAILED"
    log = next(found.folder.glob(f"results/slurm/**/{first['JobId']}.log")).read_text()
    assert "Trying to restart" not in log
    assert not found.saved()


def test_a_job_that_fits_no_partition_is_refused_before_any_is_submitted(study):
    found = study()
    found.profile(**{"set-resources": {"train_seed": {"runtime": "3d"}}})
    assert found.start("train").process.wait(timeout=400) == 2
    said = found.output.read_text().splitlines()
    assert any(
        re.match(
            "error: rule train_seed asks for gpu=1, gpu_model=h100, mem_mb=16000, runtime=4320, "
            "threads=4, and no partition in .*partitions.yaml has that; correct the file",
            line,
        )
        for line in said
    ), said[-20:]
    assert not found.jobs()


def test_runs_and_seeds_at_once_never_take_more_gpus_or_jobs_than_allowed(study):
    found = study(seeds=[0, 1, 2, 3], **QUICK)
    found.profile(jobs=3, resources={"gpu": 2})
    found.run("training")
    jobs = found.jobs()
    assert len(jobs) == 8
    assert most([job for job in jobs if "TresPerJob" in job], "SubmitTime") == 2
    assert most(jobs, "SubmitTime") <= 3


def most(jobs, begin):
    """The largest number of jobs that there ever were at once, from `begin` to their ends."""
    moments = []
    for job in jobs:
        moments.append((datetime.fromisoformat(job[begin]), 1))
        moments.append((datetime.fromisoformat(job["EndTime"]), -1))
    now = [0]
    for _, change in sorted(moments):  # an end comes before a beginning of the same second
        now.append(now[-1] + change)
    return max(now)
