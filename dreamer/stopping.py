"""When a long command stops before its end: by the clock, or because a signal asks for it."""

import signal
import time
from contextlib import contextmanager

from jobs.errors import Refused

CONTINUE = 75  # exit code: everything is saved, the same command continues
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def check(minutes):
    """Refuse a limit that leaves no time; None is no limit."""
    if minutes is not None and minutes <= 0:
        raise Refused(
            f"--minutes is {minutes:g}, but must be above zero; leave it out for no limit"
        )


@contextmanager
def stopper(minutes):
    """Yields a function that says why to stop now, or None: the clock, or a signal received."""
    found, start = [], time.monotonic()

    def receive(number, _):
        if found:
            raise KeyboardInterrupt
        found.append(f"signal {signal.Signals(number).name}")

    def reason():
        late = minutes and time.monotonic() - start > 60 * minutes
        return found[0] if found else f"{minutes:g} minutes are over" if late else None

    before = {number: signal.signal(number, receive) for number in SIGNALS}
    try:
        yield reason
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
