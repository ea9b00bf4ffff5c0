"""Spec files on disk, which only the main process of the workflow writes."""

import json
import os
from pathlib import Path

from jobs import files, specs, stages

looking = None  # called instead of writing, while somebody only looks at what would run


def write(folder, spec, disown=lambda result, text: None):
    """Write a spec file unless it is there, whole; returns its path.

    Where the sidecar of the present result names another spec, or is missing, the file's time is
    set to now: without Snakemake's own record of the job, times are all that shows it is stale.
    `disown(result, text)` is to drop that record where it names this spec: then the job that made
    the present result outlived the main process, which recorded an earlier one.
    """
    place, text = specs.path(folder, spec), files.canonical(spec)
    new = _text(place) != text
    made_by = _made_by(spec["rule"], spec["run"], spec["seed"])
    if made_by == place.name and not new:
        return str(place)
    if made_by not in (None, place.name):
        disown(stages.first(spec["rule"], spec["run"], spec["seed"]), text)
    if looking:
        looking(str(place), text)
    elif new:
        with files.atomic(place, durable=False) as temporary:
            temporary.write_text(text)
    else:
        os.utime(place)
    return str(place)


def _made_by(stage, run, seed):
    """Name of the spec that the present result was made with, or None where nothing tells."""
    try:
        return json.loads(_text(stages.sidecar(stage, run, seed)))["spec"]
    except (TypeError, ValueError, KeyError):
        return None


def _text(path):
    """Content of a file, None where it cannot be read."""
    try:
        return Path(path).read_text()
    except (OSError, ValueError):
        return None
