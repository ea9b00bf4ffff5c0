"""What a finished training left, kept once more beside its state, where no workflow removes it.

A workflow that loses a job in its last seconds removes the outputs and starts the job again: then
they are put back from here, and not trained anew. Links take no room while the outputs are there.
"""

import contextlib
import os
import shutil

from dreamer import checkpoint
from dreamer import options as trees
from jobs import files

STARTS = "starts.json"


class Finished:
    """The kept outputs of a `job`; only those of the last training are kept."""

    def __init__(self, job):
        self.job, self.folder = job, job.state / "finished"

    def keep(self, starts):
        """Keep the published outputs and the record of the starts that made them."""
        new = self.folder.with_name(".finished")
        new.mkdir()  # an older one went with the state's other unfinished files
        for path in self.job.outputs():
            _link(path, new / path.name)
        files.write_json(new / STARTS, starts)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.rename(new, self.folder)
        files.sync(self.folder.parent)

    def restore(self):
        """Put the outputs back, the checkpoint last; False where none are kept of this very job."""
        if not self._same():
            return False
        for path in reversed(self.job.outputs()):
            with files.atomic(path) as temporary:
                _link(self.folder / path.name, temporary)
            os.utime(path)  # made now, as far as a workflow is concerned
        return True

    def said(self):
        """What to tell whoever asks for the training again."""
        return (
            f"{self.job.checkpoint} is finished; to train anew remove it and {self.folder}, or "
            "change an option"
        )

    def starts(self):
        """Every start of the training that made the outputs; none where that is not kept."""
        path = self.folder / STARTS
        return files.read_json(path) if path.exists() and self._same() else []

    def _same(self):
        """Whether all outputs are kept, and of this job to the letter: its options, its code."""
        job, made = self.job, self.folder / self.job.checkpoint.name
        if not all((self.folder / path.name).is_file() for path in job.outputs()):
            return False
        wanted = {"options": trees.result(job.options), **job.provenance()}
        return checkpoint.load(made)[0].items() >= wanted.items()


def _link(source, target):
    """A second name for a file, or a copy where the file system has no links."""
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    with files.writing(target):
        shutil.copyfile(source, target)
