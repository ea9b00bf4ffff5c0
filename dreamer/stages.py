"""What the commands that need a trained agent share: options, provenance and a progress line."""

import importlib.metadata
import platform
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from dreamer import family
from dreamer import options as trees
from jobs import closure, files, specs
from jobs.errors import Refused

PACKAGES = ("jax", "numpy", "pillow", "pyarrow")
LOG_EVERY = 30  # seconds between progress lines where there is no terminal


def options(name, spec, overrides):
    """Options of a stage from a spec file, or by hand from dotted flags."""
    if spec is None:
        return trees.stage(name, overrides)
    if overrides:
        raise Refused(f"{spec} holds every option, so leave out --{next(iter(overrides))}")
    return specs.read(spec)["options"]


def agent_header(agent):
    """Who acted: family, options, training steps and seed."""
    names = ("options", "step", "seed")
    return {"name": agent.header["agent"], **{name: agent.header[name] for name in names}}


def layers(agent):
    """The agent's layers [family.Layer] in the order of the forward pass."""
    return agent.family.layers(agent.options, agent.spaces)


def provenance(modules, agent, spec, **inputs):
    """Hashes of spec, code and input files, and versions: what decides the bytes of an output."""
    modules = [*modules, family.module(agent.header["agent"])]
    return {
        "spec": Path(spec).name if spec else None,
        "code": specs.read(spec)["code"] if spec else closure.digest(*modules),
        **{name: files.sha256(path) for name, path in inputs.items()},
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
    }


class Progress:
    """A bar on a terminal, else a line now and then: what is done, the rate and the time left."""

    def __init__(self, title, total, what, rate):
        self.console, self.rate = Console(stderr=True), rate
        columns = [TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn(what)]
        columns += [TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
        self.bar = Bar(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task = self.bar.add_task(title, total=total, rate="")
        self.text = f"{title}: {{}} of {total} {what}"
        self.start = self.logged = time.monotonic()
        self.steps, self.first = 0, None

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def update(self, done, steps):
        """`done` items are finished; `steps` more rows were computed."""
        now = time.monotonic()
        self.steps += steps
        self.first = done if self.first is None else self.first
        speed = f"{self.steps / max(now - self.start, 1e-9):,.0f} {self.rate}/s"
        self.bar.update(self.task, completed=done, rate=speed)
        if self.bar.disable and now - self.logged > LOG_EVERY:
            self.logged = now
            left = (self.bar.tasks[0].total - done) * (now - self.start) / (done - self.first or 1)
            self.console.print(f"{self.text.format(done)}, {speed}, {left:,.0f} s left")
