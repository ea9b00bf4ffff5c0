"""Every start of a training: when, where, from which step, what it repeated, what it took."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from jobs import files


class Sittings:
    """The record of starts in the state `folder` of a training."""

    def __init__(self, folder):
        self.path = Path(folder, "starts.jsonl")

    def add(self, step, reached):
        """A start from `step` of a training that had got to the step `reached`."""
        row = {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "host": socket.gethostname(),
            "slurm_job": os.environ.get("SLURM_JOB_ID"),
            "step": step,
            "repeated": max(0, reached - step),
        }
        self._append(row)

    def end(self, updates, seconds):
        """The present start made so many updates; `seconds` {part: where its time went}."""
        self._append({"updates": updates, "seconds": seconds})

    def read(self):
        """One dict per start; one that was killed has no `updates` and `seconds`."""
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        found = []
        for row in (json.loads(line) for line in lines if line.endswith("}\n")):
            if "started" in row:
                found.append(row)
            else:
                found[-1] |= row
        return found

    def _append(self, row):
        with files.writing(self.path), open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")
