"""What made the present files: sidecars and the specs they name, each read once."""

import json
from pathlib import Path

from jobs import plan, sidecar, specs

SUFFIX = ".prov.json"


def made(job):
    """The sidecar of a job's outputs, or None where there is none that can be read."""
    path = place(job)
    found = _json(path) if path else None
    return found if found and _whole(found) else None


def place(job):
    """Where the sidecar of a job's outputs lies, or None for a job without."""
    return next((path for path in job.outputs if path.endswith(SUFFIX)), None)


def spec(job, record):
    """The spec that the present result was made with, or None where nothing tells.

    The sidecar `record` names it; its content stands in its file, in the plan where nothing
    changed, or in Snakemake's own record.
    """
    if not record:
        return job.spec
    name = record.get("spec") or ""
    for found in (job.planned, job.spec):
        if found and specs.path("", found).name == name:
            return found
    found = _json(plan.FOLDER / name) if name else None
    return found if found and name.endswith(f".{specs.name(found)}.json") else None


def hashes(job, record):
    """{output: its hash when it was made}, as far as the sidecar `record` tells."""
    known = (record or {}).get("outputs") or {}
    names = {Path(path).name: path for path in job.outputs}
    return {names[name]: digest for name, digest in known.items() if name in names}


def checkout():
    """The commit of the code that would run now, and whether it has local changes."""
    commit = sidecar._git("rev-parse", "HEAD")
    # without its lock, git keeps its index as it is
    changed = sidecar._git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changed)}


def _whole(record):
    """Whether what is read of a sidecar has the types that jobs.sidecar gives it."""
    texts = [*_texts(record.get("outputs")), *_texts(record.get("inputs"))]
    texts += [record.get(name) or "" for name in ("spec", "commit", "started")]
    return isinstance(record.get("seconds") or 0, int | float) and all(
        isinstance(text, str) for text in texts
    )


def _texts(table):
    """Keys and values of a table; None where it is none."""
    table = table or {}
    return [*table, *table.values()] if isinstance(table, dict) else [None]


def _json(path):
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
