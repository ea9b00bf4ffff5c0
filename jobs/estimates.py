"""How long the jobs of a run would take, from what they took before."""

import statistics
from collections import defaultdict
from pathlib import Path

from jobs import stages


def taken(job, made):
    """Seconds that a job took last: from its benchmark file, else its sidecar; None if unknown."""
    try:
        head, row, *_ = Path(job.benchmark or "").read_text().splitlines()
        return float(dict(zip(head.split("\t"), row.split("\t"), strict=True))["s"])
    except (OSError, ValueError, KeyError):
        return (made or {}).get("seconds")


class History:
    """What every job of the study took, by job, by run and by stage."""

    def __init__(self, jobs, records, old):
        """`records` are the sidecars and `old` the specs of the jobs' results."""
        self.steps = [_steps(spec) for spec in old]
        self.own = [taken(job, made) for job, made in zip(jobs, records, strict=True)]
        self.run, self.stage = defaultdict(list), defaultdict(list)
        for job, seconds in zip(jobs, self.own, strict=True):
            if seconds is not None and job.planned:
                stage = job.planned["rule"]
                self.run[stage, job.wildcards.get("run")].append(seconds)
                self.stage[stage].append(seconds)
        self.median = {key: statistics.median(found) for key, found in self.run.items()}
        self.median |= {key: statistics.median(found) for key, found in self.stage.items()}

    def expect(self, place, job):
        """(seconds, where that is from) for the job at `place`; (None, …) if it never ran.

        A training counts by its steps: twice as many take twice as long.
        """
        if self.own[place] is not None:
            was, now = self.steps[place], _steps(job.planned)
            scaled = was and now and was != now
            words = f"its last time, for {now} instead of {was} {_unit(job.planned)}"
            return self.own[place] * (
                now / was if scaled else 1
            ), words if scaled else "its last time"
        stage = job.planned["rule"] if job.planned else job.rule
        for key, words in (((stage, job.wildcards.get("run")), "seeds"), (stage, "runs")):
            if key in self.median:
                return self.median[key], f"median of other {words}"
        return None, "it never ran"


def gpus(job):
    """How many GPUs a job asks for."""
    asked = str(job.resources.get("gpu") or 0)
    if "gpu" in str(job.resources.get("gres") or ""):
        asked = job.resources["gres"].rsplit(":", 1)[-1]
    return int(asked)


def total(jobs, expected):
    """What a run would cost: seconds in a row and at least, GPU hours by partition, unknowns.

    `expected` are seconds (or None) per job; at least is the longest chain of jobs, however many
    machines there are.
    """
    ends, hours, cores = [], defaultdict(float), 0.0
    for job, seconds in zip(jobs, expected, strict=True):
        spent = (seconds or 0) if job.runs else 0
        ends.append(max((ends[place] for place in job.after), default=0) + spent)
        cores += spent * int(job.resources.get("threads", 0)) / 3600
        if gpus(job):
            hours[job.partition or "no partition fits"] += spent * gpus(job) / 3600
    known = [seconds for job, seconds in zip(jobs, expected, strict=True) if job.runs]
    return {
        "seconds": sum(filter(None, known)),
        "at_least": max(ends, default=0),
        "core_hours": cores,
        "gpu_hours": dict(sorted(hours.items())),
        "unknown": known.count(None),
        "at_most": sum(
            60 * int(job.resources.get("runtime") or 0)
            for job, seconds in zip(jobs, expected, strict=True)
            if job.runs and seconds is None
        ),
    }


def _unit(spec):
    """What `_steps` counts."""
    return {"train": "steps", "dataset": "episodes"}.get(spec["rule"], "updates")


def _steps(spec):
    """Steps of a training, updates of a phase or episodes of a data set by its spec, else None."""
    rule = spec["rule"] if spec else None
    block, name = {"train": ("run", "steps"), "dataset": ("data", "episodes")}.get(
        rule, (stages.BLOCKS.get(rule), "updates")
    )
    return spec["options"].get(block, {}).get(name) if block else None
