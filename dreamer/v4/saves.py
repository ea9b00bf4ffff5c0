"""Saves of one phase: each a single file that is whole or absent, of which the two newest stay.

A save's name carries its update and the hash of its content, so a damaged one is known by its name.
"""

import hashlib
import shutil
import warnings
from pathlib import Path

import numpy as np

from dreamer import checkpoint
from jobs import files
from jobs.errors import Refused

KEEP = 2


class Saves:
    """The saves of the training `identity` (anything that JSON holds) inside `folder`."""

    def __init__(self, folder, identity):
        digest = hashlib.sha256(files.canonical(identity).encode()).hexdigest()[:16]
        self.folder = Path(folder, digest)
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*"):
            left.unlink()
        files.write_json(self.folder / "identity.json", identity)
        self.whole = self._newest()

    def newest(self):
        """Update of the save that `restore` takes; 0 without one."""
        return _update(self.whole) if self.whole else 0

    def save(self, update, facts, arrays):
        """Write a save, safe on the disk on return; numbers that are not finite are refused."""
        if self.whole and _update(self.whole) == update:
            return
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise Refused(
                    f"{name} holds numbers that are not finite after update {update}; the last "
                    "saved state is kept; lower the learning rate and train anew"
                )
        waiting = self.folder / ".waiting.safetensors"
        with files.writing(self.folder):
            checkpoint.write(waiting, arrays, files.canonical(facts))
            files.sync(waiting)
            self.whole = waiting.rename(
                self.folder / f"{update:012d}.{files.sha256(waiting)[:16]}.safetensors"
            )
            files.sync(self.folder)
        for old in sorted(self.folder.glob("*.safetensors"), reverse=True)[KEEP:]:
            old.unlink()

    def restore(self):
        """(facts, arrays) of the newest whole save; None without one."""
        return checkpoint.arrays(self.whole) if self.whole else None

    def remove(self):
        """Remove everything, once the results are published."""
        hidden = self.folder.with_name(f".{self.folder.name}")
        self.folder.rename(hidden)
        shutil.rmtree(hidden)

    def _newest(self):
        for path in sorted(self.folder.glob("*.safetensors"), reverse=True):
            if files.sha256(path)[:16] == path.name.split(".")[1]:
                return path
            warnings.warn(f"{path} is not as it was saved; it is not used", stacklevel=3)
            path.unlink()
        return None


def _update(path):
    return int(path.name.split(".")[0])
