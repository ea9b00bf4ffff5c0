"""Every start of a training: when, where, from which step, and what it had to do again."""

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
        with files.writing(self.path), open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")

    def read(self):
        """All rows, but for one that was cut off."""
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}\n")]
