"""What made a file, when and where: the part of provenance that must not change the file itself."""

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from jobs import closure, files


def clock():
    """The moment a command starts."""
    return time.time()


def write(path, arguments, start, facts):
    """Write `<first output>.prov.json`: spec, time, commit, command, machine, inputs, outputs."""
    existing = [item for value in arguments.values() for item in _paths(value) if item.is_file()]
    made = [item for item in existing if item.stat().st_mtime >= start - 1]
    spec = arguments.get("spec")
    record = {
        "spec": Path(spec).name if spec else None,
        "started": _utc(start),
        "seconds": round(time.time() - start, 1),
        "command": [Path(sys.argv[0]).stem, *sys.argv[1:]],
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "host": socket.gethostname(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        "device": None,
        "outputs": {item.name: files.sha256(item) for item in made},
        "inputs": {str(item): files.sha256(item) for item in existing if item not in made},
        **facts,
    }
    files.write_json(path, record)


def _paths(value):
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Path)]


def _utc(moment):
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _git(*words):
    """Answer of git about the checkout, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *words], cwd=closure.ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
