"""What the commands that need a trained agent share: options, provenance and a progress line."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from dreamer import family
from dreamer import options as trees
from dreamer import versions as packages
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
    found = specs.read(spec) if spec else None
    return {
        "spec": specs.name(found) if spec else None,
        "code": found["code"] if spec else closure.digest(*modules),
        **{name: files.sha256(path) for name, path in inputs.items()},
        "versions": versions(),
    }


def versions():
    """Of Python and the packages that decide what an agent computes."""
    return packages.of(*PACKAGES)


class Progress:
    """A bar on a terminal, else a line now and then: what is done, the rate and the time left."""

    def __init__(self, title, total, what, rate):
        self.title, self.total, self.what, self.rate = title, total, what, rate
        self.console = Console(stderr=True)
        columns = [TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn(what)]
        columns += [TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
        self.bar = Bar(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task = self.bar.add_task(title, total=total, rate="")
        self.start = self.logged = time.monotonic()
        self.steps, self.before = 0, None

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def update(self, done, steps):
        """`done` items are finished; `steps` more rows were computed."""
        now = time.monotonic()
        self.steps += steps
        self.before = done if self.before is None else self.before
        spent = now - self.start
        speed = f"{self.steps / max(spent, 1e-9):,.0f} {self.rate}/s"
        self.bar.update(self.task, completed=done, rate=speed)
        if self.bar.disable and now - self.logged >= LOG_EVERY:
            self.logged = now
            left = (self.total - done) * spent / max(done - self.before, 1)
            words = f"{self.title}: {done} of {self.total} {self.what}, {speed}, {left:,.0f} s left"
            self.console.print(words, highlight=False, soft_wrap=True, markup=False)
