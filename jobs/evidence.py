"""What made the present files: sidecars and the specs they name, each read once."""

import json
from pathlib import Path

from jobs import plan, sidecar, specs

SUFFIX = ".prov.json"


def made(job):
    """The sidecar of a job's outputs, or None where there is none that can be read."""
    found = next((path for path in job.outputs if path.endswith(SUFFIX)), None)
    return _json(found) if found else None


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
    return _json(plan.FOLDER / name) if name else None


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


def _json(path):
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
