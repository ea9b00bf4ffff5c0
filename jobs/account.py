"""The state of every output of a study, why, what made it, and what a run would do."""

from collections import Counter
from pathlib import Path

from jobs import evidence, files, reasons
from jobs.estimates import History, gpus, total

STATES = ("fresh", "altered", "suspect", "gone", "incomplete", "missing", "stale")


def study(jobs, verify=False):
    """A dict about the study that `jobs` (from dag.look) make; docs/provenance.md names its keys.

    `verify` also hashes every output and names those that were altered after they were made.
    """
    made = [evidence.made(job) for job in jobs]
    old = [evidence.spec(job, record) for job, record in zip(jobs, made, strict=True)]
    history, known = History(jobs, made, old), _known(jobs, made)
    hashes = {**_read(jobs), **known} if verify else {}
    told, expected = [], []
    for place, job in enumerate(jobs):
        seconds, source = history.expect(place, job) if job.runs else (None, "")
        expected.append(seconds)
        if job.planned:
            why = reasons.of(job, made[place], old[place], jobs)
            doubts = _doubts(job, made[place], known, why)
            altered = _altered(job, hashes)
            entry = _entry(job, why, doubts, altered) | {"made": _made(made[place], old[place])}
            told.append(entry | _would(job, seconds, source))
    cost = {**total(jobs, expected), "order": _order(told)}
    return {
        "checkout": evidence.checkout(),
        "verified": verify,
        "counts": dict(Counter(state for entry in told for state in entry["outputs"].values())),
        "jobs": told,
        "edges": sorted({edge for job in jobs if job.planned for edge in _edges(job, jobs)}),
        "run": cost,
    }


def _entry(job, why, doubts, altered):
    """State of a job and of its outputs, with the reasons."""
    outputs = {path: _state(path, job, bool(doubts), altered) for path in job.outputs}
    return {
        "stage": job.planned["rule"],
        "run": job.wildcards.get("run"),
        "seed": job.wildcards.get("seed"),
        "state": max(outputs.values(), key=STATES.index),
        "runs": job.runs,
        "outputs": outputs,
        "reasons": [{"kind": item.kind, "words": item.words()} for item in why] if job.runs else [],
        "doubts": doubts,
        "altered": list(altered.values()),
        "snakemake": job.said,
    }


def _state(path, job, doubted, altered):
    if path in job.incomplete:
        return "incomplete"
    if path in job.missing:
        return "missing" if job.runs else "gone"
    if job.runs:
        return "stale"
    return "altered" if path in altered else "suspect" if doubted else "fresh"


def _known(jobs, made):
    """{output of any job: its hash when it was made}."""
    found = {}
    for job, record in zip(jobs, made, strict=True):
        found |= evidence.hashes(job, record)
    return found


def _doubts(job, record, known, why):
    """What speaks against a result that Snakemake would keep, or holds for stale by times alone."""
    if job.runs and not {reason.kind for reason in why} <= {"time", "upstream"}:
        return []
    found = [] if job.runs else [reason.words() for reason in why if reason.kind != "missing"]
    place = evidence.place(job)
    if record is None and place and place not in job.missing:
        found.append(f"{place} cannot be read, so nothing tells what was made")
    for path, digest in ((record or {}).get("inputs") or {}).items():
        if known.get(path, digest) != digest:
            found.append(f"made from another version of {path} than the present one")
    return found


def _read(jobs):
    """{file: the hash with which fresh results were made from it}, as far as recorded."""
    return {path: digest for job in jobs if not job.runs for path, digest in job.read.items()}


def _altered(job, known):
    """{output: sentence} for files whose hash is not the one that is known of them."""
    found = {}
    for path in job.outputs:
        if path in known and Path(path).is_file() and files.sha256(path) != known[path]:
            found[path] = f"{path} was altered after it was made"
    return found


def _made(record, spec):
    """What made a result, from its sidecar and its spec."""
    if not record:
        return None
    names = ("started", "seconds", "commit", "dirty", "host", "slurm_job", "device", "command")
    facts = {name: record.get(name) for name in names}
    facts |= {"spec": record.get("spec"), "inputs": record.get("inputs") or {}}
    if spec:
        facts |= {name: spec[name] for name in ("options", "python", "lock", "code")}
    return facts


def _would(job, seconds, source):
    """What running a job would take."""
    if not job.runs:
        return {}
    return {
        "level": job.level,
        "seconds": seconds,
        "estimate": source,
        "partition": job.partition,
        "gpus": gpus(job),
        "gpu_model": job.resources.get("gpu_model"),
        "threads": job.resources.get("threads"),
        "walltime": job.resources.get("runtime"),
    }


def _edges(job, jobs):
    """(stage, this job's stage) for what the job needs."""
    return [(reasons.stage(jobs[place]), job.planned["rule"]) for place in job.after]


def _order(told):
    """Stages in the order in which they would run: how many jobs of each, and seconds."""
    steps = {}
    for entry in sorted(
        filter(lambda entry: entry["runs"], told), key=lambda entry: entry["level"]
    ):
        step = steps.setdefault(entry["stage"], {"jobs": 0, "seconds": 0.0, "unknown": 0})
        step["jobs"] += 1
        step["seconds"] += entry["seconds"] or 0
        step["unknown"] += entry["seconds"] is None
    return [{"stage": stage, **step} for stage, step in steps.items()]
