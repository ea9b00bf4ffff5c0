"""The training command with two additions: it says what it is doing, and dies where it is told to.

`python -m tests.mortal NOTES WHERE <flags of dreamer.train>`. The file NOTES holds the present
phase, or after the end {phase: calls into Python and C during its first occurrence}. WHERE is
`save:3:120`: kill this process at the 120th call of the third save; or `-`.
"""

import functools
import json
import os
import signal
import sys
from pathlib import Path

from dreamer import session, train
from dreamer.driver import Driver
from dreamer.learner import Learner
from dreamer.state import Store
from jobs import cli

PHASES = {
    "restore": (Store, "restore"),
    "step": (Driver, "step"),
    "update": (Learner, "update"),
    "save": (Store, "save"),
    "publish": (session, "_publish"),
    "remove": (Store, "remove"),
}


class Notes:
    """What the process is doing, in a file that survives it."""

    def __init__(self, path):
        self.handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.counts, self.times = {}, dict.fromkeys(PHASES, 0)

    def say(self, text):
        """Replace the file's content."""
        os.pwrite(self.handle, text.encode().ljust(400), 0)


def watched(notes, name, function, occurrence, call):
    """`function` as phase `name`, deadly at one call of one occurrence, or when that one ends."""

    @functools.wraps(function)
    def phase(*args, **kwargs):
        notes.times[name] += 1
        notes.say(name)
        deadly, calls = notes.times[name] == occurrence, 0

        def count(*_):
            nonlocal calls
            calls += 1
            if deadly and calls >= call:
                os.kill(os.getpid(), signal.SIGKILL)

        if deadly or name not in notes.counts:
            sys.setprofile(count)
        try:
            found = function(*args, **kwargs)
        finally:
            sys.setprofile(None)
        notes.counts.setdefault(name, calls)
        if deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        notes.say("between")
        return found

    return phase


def main(path, where, *argv):
    """Run the command; see the top of the file."""
    notes = Notes(path)
    notes.say("start-up")
    wanted, occurrence, call = (*where.split(":"), "0", "0")[:3]
    for name, (place, attribute) in PHASES.items():
        number = int(occurrence) if name == wanted else 0
        function = watched(notes, name, getattr(place, attribute), number, int(call))
        setattr(place, attribute, function)
    try:
        cli.run(train.main, argv)
    finally:
        Path(path).write_text(json.dumps(notes.counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
