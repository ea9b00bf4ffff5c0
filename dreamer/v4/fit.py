"""One phase of training: from the newest save to the end, or until something says stop.

Batch and key of update u depend on the seed and on u alone, so a save holds no place in the data.
Of several processes the first one alone writes; all of them read, compute and stop together.
"""

import contextlib
import shutil
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from dreamer import boards, checkpoint, spaces, stages
from dreamer import state as states
from dreamer.attempts import Attempts
from dreamer.episodes import Episodes, Lengths
from dreamer.finished import Finished
from dreamer.sittings import Sittings
from dreamer.v4 import agent, encoding, fitting, mesh, origin
from dreamer.v4.batches import Data
from dreamer.v4.saves import Saves


class Ready(NamedTuple):
    """What was found to fit together: config, spaces, header's facts, parameters, devices."""

    config: Any
    about: dict
    values: dict
    devices: mesh.Devices


def check(phase, asked):
    """Refuse, before anything is written, what cannot be trained; else Ready."""
    boards.check(asked.options["logger"])
    about = origin.about(phase, asked)
    found = spaces.from_json(about["spaces"])
    fresh = checkpoint.fresh(agent, asked.options, found, asked.options["seed"])
    values = origin.values(phase, asked, fresh.params.values)
    phase.windows(Lengths(asked.inputs["dataset"]), fresh.params.config)
    run, block = asked.options["run"], asked.options[phase.block]
    devices = mesh.Devices(run["devices"], run["fsdp"], block["batch"], run["accumulate"])
    return Ready(fresh.params.config, about, phase.begin(values), devices)


def run(phase, asked, ready, stop):
    """Train until the end (True), or until `stop()` gives a reason (False); both save first."""
    saves = Saves(asked.state, asked.identity(phase))
    with (
        Attempts(saves.folder, saves.newest()).counted() as attempt,
        contextlib.ExitStack() as files,
    ):
        data = [_open(asked, ready, phase, name, files) for name in ("dataset", "test")]
        training = fitting.Training(phase, asked, ready, saves, data)
        if _first():
            training.board = files.enter_context(_board(phase, asked))
        training.restore()
        sittings, before = Sittings(saves.folder), training.update
        if _first():
            sittings.add(training.update, training.reached())
        reason = _loop(training, asked, stop)
        training.save()
        if _first():
            sittings.end(training.update - before, training.seconds)
        if reason:
            _farewell(training, saves, reason, attempt)
            return False
        training.publish()
    if _first():
        Finished(asked).keep(sittings.read())
        clean(phase, asked)
    return True


def _board(phase, asked):
    """Whoever shows the phase while it trains."""
    options = asked.options
    about = {"name": f"{phase.name}, seed {options['seed']}", "options": options}
    return boards.opened(options["logger"], asked.state.parent, about, phase.name)


def clean(phase, asked):
    """Remove the state of a finished phase, and after the last phase the decoded data."""
    Saves(asked.state, asked.identity(phase)).remove()
    if phase.name == "imagination":
        shutil.rmtree(encoding.work(asked), ignore_errors=True)


@contextlib.contextmanager
def alone(asked):
    """Hold the lock of the state folder, for all processes of this training."""
    if _first():
        with states.locked(asked.state, print):
            yield
    else:
        yield


def _open(asked, ready, phase, name, files):
    """Data of `dataset` or `test`; None where there is no such file."""
    path = asked.inputs[name]
    if path is None:
        return None
    episodes, latents = Episodes(path, encoding.work(asked)), None
    if phase.after:
        encoded = encoding.encoded(ready.values, ready.config, episodes, encoding.work(asked))
        latents = files.enter_context(encoded)
    return Data(episodes, latents)


def _loop(training, asked, stop):
    """Train until the end (None) or until there is a reason to stop, which is returned."""
    options, saved = asked.options["run"], time.monotonic()
    with stages.Progress("training", training.total, "updates", "updates") as bar:
        bar.update(training.update, 0)
        while training.update < training.total:
            reason = stop()
            late = time.monotonic() - saved > 60 * options["save_every"]
            halt, save = agreed(bool(reason), bool(options["save_every"]) and late)
            if halt:
                return reason or "another process was told to stop"
            if save:
                training.save()
                saved = time.monotonic()
            training.advance()
            if training.update in asked.snapshots:
                training.keep_snapshot()
            bar.update(training.update, 1)
    return None


def agreed(*decisions):
    """The decisions of the first process, or any process's wish to stop, on all processes alike."""
    if jax.process_count() == 1:
        return decisions
    from jax.experimental import multihost_utils

    return tuple(multihost_utils.process_allgather(np.array(decisions)).any(0).tolist())


def _farewell(training, saves, reason, attempt):
    """What to say when stopping early; a stop before any update may count as one in vain."""
    where = f"after update {training.update:,} of {training.total:,}"
    if training.update > attempt.step:
        print(f"{reason}: saved {where} in {saves.folder}; the same command continues")
    elif reason.startswith("signal"):
        attempt.forgive()
        print(f"{reason} before the first update, {where}; the same command continues")
    else:
        counted = attempt.blame(f"{reason} before the first update; allow more minutes")
        print(f"{reason} before the first update; the same command needs more minutes ({counted})")


def _first():
    return jax.process_index() == 0
