"""Spec files on disk, which only the main process of the workflow writes."""

import json
import os
from pathlib import Path

from jobs import files, specs, stages

looking = None  # called instead of writing, while somebody only looks at what would run


def write(folder, spec):
    """Write a spec file unless it is there; returns its path.

    Where the sidecar of the present result names another spec, or is missing, the file's time is
    set to now: without Snakemake's own record of the job, times are all that shows it is stale.
    """
    place = specs.path(folder, spec)
    new = not place.exists()
    if not new and _made_by(spec["rule"], spec["run"], spec["seed"]) == place.name:
        return str(place)
    if looking:
        looking(str(place), files.canonical(spec))
    elif new:
        with files.atomic(place) as temporary:
            temporary.write_text(files.canonical(spec))
    else:
        os.utime(place)
    return str(place)


def _made_by(stage, run, seed):
    """Name of the spec that the present result was made with, or None where nothing tells."""
    try:
        return json.loads(Path(stages.sidecar(stage, run, seed)).read_text())["spec"]
    except (OSError, ValueError, KeyError):
        return None
