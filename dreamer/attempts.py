"""Starts of a training that brought no progress are counted, and after three there are no more."""

import contextlib
from pathlib import Path

from jobs import files
from jobs.errors import Refused

LIMIT = 3
KILLED = "nothing said, so it was killed"


class Attempts:
    """The starts since a training last got further, kept in a file of its state `folder`."""

    def __init__(self, folder, step):
        self.folder, self.path, self.step = Path(folder), Path(folder, "attempts.json"), step
        known = files.read_json(self.path) if self.path.exists() else {}
        known = known if known.get("step") == step else {}
        self.starts, self.reason = known.get("starts", 0), known.get("reason", KILLED)

    @contextlib.contextmanager
    def counted(self):
        """A start from `step`; refused after three that got no further, with what ended the last.

        What an error says is kept for that. An interruption by hand does not count.
        """
        if self.starts >= LIMIT:
            raise Refused(
                f"{self.starts} starts from step {self.step:,} got no further; the last one ended "
                f"with: {self.reason}; mend that and remove {self.path}, or to train anew remove "
                f"{self.folder}"
            )
        self._write(self.starts + 1, KILLED)
        try:
            yield self
        except KeyboardInterrupt:
            self.forgive()
            raise
        except Exception as error:
            with contextlib.suppress(Refused, OSError):  # the disk may be what is wrong
                self._write(self.starts + 1, f"{error}" or type(error).__name__)
            raise

    def forgive(self):
        """Take this start back: it ended without progress, but through no fault."""
        self._write(self.starts, self.reason)

    def blame(self, reason):
        """Say what ended this start; returns in words how it counts."""
        self._write(self.starts + 1, reason)
        return f"start {self.starts + 1} of {LIMIT} from step {self.step:,} without progress"

    def _write(self, starts, reason):
        files.write_json(self.path, {"step": self.step, "starts": starts, "reason": reason})
