"""Processes told by what their environment holds, so that no other's are ever touched."""

import os
import signal
import time
from pathlib import Path


def of(text, also=""):
    """Ids of the processes whose environment has the setting `text` and one that begins `also`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            settings = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if text in settings and any(item.startswith(also) for item in settings):
            yield int(folder.name)


def name(pid):
    """The program of a process, '' if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def send(pids, number):
    """Send a signal to processes that may be gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def stop(text, patience=15.0):
    """End all processes that `of(text)` finds: asked first, then killed."""
    end = time.monotonic() + patience
    send(of(text), signal.SIGTERM)
    while list(of(text)) and time.monotonic() < end:
        time.sleep(0.1)
    while left := list(of(text)):
        send(left, signal.SIGKILL)
        time.sleep(0.05)
