"""One sitting of a training: from the newest save to the end, or until something says stop."""

import time
from contextlib import closing

from dreamer import boards, checkpoint, progress, spaces
from dreamer import options as trees
from dreamer.attempts import Attempts
from dreamer.envs import vector
from dreamer.finished import Finished
from dreamer.sittings import Sittings
from dreamer.state import Store
from dreamer.training import LOGS, Training

COUNTS = ("step", "env", "episode", "length")


def run(job, device, stop):
    """Train until the end (True), or until `stop()` gives a reason (False); both save first."""
    store = Store(job.state, job.identity())
    for folder, differences in store.others():
        print(f"starting anew, not from {folder}: {'; '.join(differences)}")
    with Attempts(store.folder, store.newest()).counted() as attempt:
        if not _sit(job, store, device, stop, attempt):
            return False
    Finished(job).keep(Sittings(store.folder).read())
    store.remove()
    return True


def _sit(job, store, device, stop, attempt):
    """One start: whether it came to the end and published the results."""
    options, run = job.options, job.options["run"]
    with (
        boards.opened(options["logger"], job.board, _about(options)) as board,
        closing(vector.make(options["task"], options["env"], run["envs"], options["seed"])) as envs,
        progress.Report(run["steps"], device) as report,
    ):
        training = Training(options, envs, store.folder, board, report)
        reached = training.reached()
        training.restore(store)
        sittings, before = Sittings(store.folder), training.learner.updates
        sittings.add(training.step, reached)
        report.say(_header(training, device))
        reason = _loop(training, store, job, stop)
        training.save(store)
        sittings.end(training.learner.updates - before, training.seconds())
        if reason:
            report.say(_farewell(training, store, reason, attempt))
            return False
        training.log()
        _publish(training, store, job)
    return True


def _about(options):
    """What a board says of the training."""
    return {"name": f"{options['task']}, seed {options['seed']}", "options": options}


def _loop(training, store, job, stop):
    """Train until the end (None) or until there is a reason to stop, which is returned."""
    run, saved = training.run, time.monotonic()
    while training.step < run["steps"]:
        reason = stop()
        if reason:
            return reason
        if run["save_every"] and time.monotonic() - saved > 60 * run["save_every"]:
            training.save(store)
            saved = time.monotonic()
        training.advance()
        for step in job.snapshots:
            if training.passed(step) and training.step < step + training.driver.count:
                _write(training, job, _waiting(store, step))
    return None


def _farewell(training, store, reason, attempt):
    """What to say when stopping early; a stop before any step may count as a start in vain."""
    if training.step > attempt.step:
        return (
            f"{reason}: saved at step {training.step:,} in {store.folder}; the same command "
            "continues"
        )
    there = "there is nothing new to save; the same command continues"
    if reason.startswith("signal"):
        attempt.forgive()
        return f"{reason} before the first step, so {there}"
    counted = attempt.blame(f"{reason} before the first step; allow more minutes")
    return f"{reason} before the first step, so {there} but needs more minutes ({counted})"


def _publish(training, store, job):
    """Tables and snapshots first, the checkpoint last: it says that the training is finished."""
    names = {"agent": job.options["agent"], "task": job.options["task"]}
    about = {**names, "options": trees.result(job.options), "seed": job.options["seed"]}
    about["achievements"] = training.world["achievements"]
    columns = {"metrics": ("step", "updates"), "episodes": (*COUNTS, *training.episodes.names)}
    real = {"metrics": (), "episodes": ("score",)}
    for name in LOGS:
        path = getattr(job, name)
        training.lines[name].publish(path, name, about, columns[name], real[name])
    for step, path in job.snapshots.items():
        header, values = checkpoint.load(_waiting(store, step))
        checkpoint.save(path, values, header)
    _write(training, job, job.checkpoint)


def _write(training, job, path):
    header = {
        "agent": job.options["agent"],
        "options": trees.result(job.options),
        "step": training.step,
        "updates": training.learner.updates,
        "seed": job.options["seed"],
        "spaces": spaces.to_json(training.spaces),
        "world": training.world,
    }
    checkpoint.save(path, training.learner.values(), header | job.provenance())


def _waiting(store, step):
    return store.folder / "snapshots" / f"{step}.safetensors"


def _header(training, device):
    learner, kinds = training.learner, (training.replay.rows.kind, training.replay.latents.kind)
    start = f"continuing from step {training.step:,}\n" if training.step else ""
    return start + progress.header(
        training.options,
        learner.values(),
        learner.compile(),
        sum(kind.itemsize for kind in kinds),
        device,
    )
