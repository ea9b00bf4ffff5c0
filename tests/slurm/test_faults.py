"""Whatever happens to its job or its node, a training ends with the bits of one left alone.

The training takes more than a minute and is saved about every second.
"""

import pytest


@pytest.fixture
def survived(record_property, undisturbed):
    """Function: check that a study lost nothing to a fault at `step`, and note what it cost."""

    def check(study, fault, step, starts=2, jobs=2):
        study.finish()
        found = study.starts()
        assert len(found) == starts and len(study.jobs("train")) == jobs, (found, study.jobs())
        steps = [row["step"] for row in found]
        assert steps == sorted(steps) and steps[0] == 0
        assert starts == 1 or steps[-1] >= step > 0
        assert study.results() == undisturbed()
        assert not list(study.folder.glob("results/smoke/seed0/train.state/*/identity.json"))
        again = ", ".join(f"{row['repeated']} steps from {row['step']}" for row in found[1:])
        record_property("fault", fault)
        record_property("moment", f"after the save at step {step}")
        record_property("again", again)

    return check


def test_a_training_left_alone_starts_once(undisturbed):
    assert undisturbed()


def test_requeue(study, cluster, survived):
    """`scontrol requeue` keeps the job's number, and costs none of Snakemake's retries."""
    found = study(slow=True).start("train")
    step, job = found.saves()
    cluster("scontrol", "requeue", job["JobId"])
    survived(found, "scontrol requeue", step, jobs=1)
    assert found.jobs("train")[0]["Restarts"] == "1"


def test_scancel(study, cluster, survived):
    found = study(slow=True).start("train")
    step, job = found.saves()
    cluster("scancel", job["JobId"])
    survived(found, "scancel", step)
    assert [job["JobState"] for job in found.jobs("train")] == ["CANCELLED", "COMPLETED"]


def test_scancel_when_all_is_done_but_the_job_has_not_ended(study, cluster, survived):
    """Snakemake removes what a cancelled job made; the next puts it back, and trains nothing."""
    found = study(slow=True).start("train")
    step, job = found.saves()
    kept = found.folder / "results/smoke/seed0/train.state/finished"
    cluster.wait(kept.exists, "the training was over", pause=0.01)
    cluster("scancel", job["JobId"])
    survived(found.finish(), "scancel in the last second", step, 1, len(found.jobs("train")))


def test_preemption(study, cluster, survived):
    """A job of a partition with a higher priority wants all the GPUs of the training's kind."""
    found = study(slow=True).start("train")
    step, job = found.saves()
    wanted = ["--partition=urgent", "--gpus=h100:4", "--time=1", "--output=/dev/null"]
    cluster("sbatch", *wanted, "--wrap=sleep 5")
    cluster.wait(lambda: found.jobs("train")[0]["JobState"] != "RUNNING", "the training gave way")
    survived(found, "preemption (REQUEUE)", step, jobs=1)
    assert found.jobs("train")[0]["Restarts"] == "1"


def test_walltime(study, cluster, survived):
    """The first job has a minute, at whose end SLURM sends SIGTERM, the second has two, …"""
    found = study(slow=True)
    found.profile(**{"set-resources": {"train_seed": {"runtime": "attempt"}}}).start("train")
    _, job = found.saves(beyond=20)
    late = cluster.wait(lambda: found.ended("TIMEOUT", job["JobId"]), "the time was over")
    step = found.saved()
    found.finish()
    jobs, starts = found.jobs("train"), found.starts()
    assert 2 <= len(starts) <= len(jobs)  # one that ended in its last second does not start again
    survived(found, f"time limit ({late[0]['RunTime']})", step, len(starts), len(jobs))
    assert [job["JobState"] for job in jobs] == ["TIMEOUT"] * (len(jobs) - 1) + ["COMPLETED"]


def test_node_failure(study, cluster, survived):
    """All processes of the node go at once, and SLURM starts the job again under its number."""
    found = study(slow=True, **{"run.save_every": 0.2}).start("train")
    found.saves()
    cluster.wait(lambda: found.logged() >= found.saved() + 20, "it got beyond its last save")
    step = found.saved()
    cluster.kill_node()
    cluster.start_daemon("slurmd")
    survived(found, "node failure, saves every 12 s", step, jobs=1)
    assert found.jobs("train")[0]["Restarts"] == "1"
    assert found.starts()[1]["repeated"] >= 20


def test_snakemake_killed_while_the_job_runs(study, cluster, survived):
    """Its job lives on. The next Snakemake starts a second one, which waits and finds all done."""
    found = study(slow=True).start("train")
    step, job = found.saves()
    found.kill()
    found.run("--unlock")
    found.start("train")
    cluster.wait(lambda: len(found.jobs("train")) == 2, "the second Snakemake started its job")
    assert found.jobs("train")[0]["JobState"] == "RUNNING"
    survived(found, "Snakemake killed", step, starts=1)
    assert {job["JobState"] for job in found.jobs("train")} == {"COMPLETED"}
