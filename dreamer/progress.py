"""What a training says while it runs: a bar on a terminal, else a line now and then."""

import collections
import time
from fractions import Fraction

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

UNITS = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12))
LOG_EVERY = 10  # seconds between lines in a log, and the span that rates are measured over


class Report:
    """Progress of a training of `total` environment steps; a context."""

    def __init__(self, total, platform):
        self.total, self.platform = total, platform
        self.console = Console(stderr=True)
        columns = [TextColumn("training"), BarColumn(), TaskProgressColumn()]
        columns.append(TextColumn("{task.fields[text]}"))
        self.bar = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task = self.bar.add_task("training", total=total, text="")
        self.scores = collections.deque(maxlen=10)
        self.marks, self.logged = collections.deque(maxlen=12), time.monotonic()

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def say(self, text):
        """A line of its own."""
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def update(self, step, updates, seconds):
        """Call often: steps and updates so far, and seconds {part: spent so far}."""
        now = time.monotonic()
        if self.marks and now - self.marks[-1][0] < 1:
            return
        self.marks.append((now, step, updates, seconds))
        if len(self.marks) == 1:
            self.logged = now
        text = self.text()
        self.bar.update(self.task, completed=step, text=text)
        if self.bar.disable and now - self.logged >= LOG_EVERY:
            self.logged = now
            self.say(f"step {step:,} of {self.total:,} ({100 * step / self.total:.0f}%), {text}")

    def rates(self):
        """{steps, updates: per second; each part: its share of the time} of late."""
        (then, step, updates, old), (now, *counts, new) = self.marks[0], self.marks[-1]
        span = max(now - then, 1e-9)
        shares = {name: (new[name] - old[name]) / span for name in new}
        steps, updates = counts[0] - step, counts[1] - updates
        return {"steps": steps / span, "updates": updates / span, **shares}

    def text(self):
        """The line: updates, rates, time left, score, where the time goes, platform."""
        rates, (_, step, updates, spent) = self.rates(), self.marks[-1]
        left = (self.total - step) / rates["steps"] if rates["steps"] else 0
        parts = [f"{updates:,} updates", f"{rates['steps']:.1f} steps/s"]
        parts += [f"{rates['updates']:.2f} updates/s", f"{clock(left)} left"]
        if self.scores:
            parts.append(f"score {sum(self.scores) / len(self.scores):.2f}")
        shares = (f"{name} {100 * rates[name]:.0f}%" for name in spent)
        return ", ".join([*parts, " ".join(shares), self.platform])


def header(options, values, memory, row_bytes, platform):
    """What is about to be trained, in words: agent, memory, ratio, platform.

    `values` are the parameters, `memory` bytes {agent, working}, `row_bytes` what a replayed step
    takes on disk.
    """
    run = options["run"]
    kept = min(options["replay"]["size"], run["steps"]) * row_bytes
    return "\n".join(
        [
            f"{options['agent']} on {options['task']}, seed {options['seed']}, {run['steps']:,} "
            f"environment steps in {run['envs']} environments, platform {platform}",
            parameters(values),
            f"memory: about {size(sum(memory.values()))} during an update (agent and optimiser "
            f"{size(memory['agent'])}); replay up to {size(kept)} on disk",
            f"train ratio {run['train_ratio']:g}: {ratio(run)}",
        ]
    )


def parameters(values):
    """'1.05 million parameters: dec 240,100, dyn 610,304, ...', one figure per module."""
    counts = collections.Counter()
    for name, value in values.items():
        counts[name.split("/")[0]] += value.size
    total = sum(counts.values())
    return f"{total:,} parameters: " + ", ".join(f"{name} {n:,}" for name, n in counts.items())


def ratio(run):
    """'one update of 16 x 64 steps every 2 environment steps'."""
    per_step = Fraction(str(run["train_ratio"])) / (run["batch_size"] * run["batch_length"])
    if not per_step:
        return "no updates"
    many, every = per_step.numerator, per_step.denominator
    updates = "one update" if many == 1 else f"{many:,} updates"
    steps = "environment step" if every == 1 else f"{every:,} environment steps"
    return f"{updates} of {run['batch_size']} x {run['batch_length']} steps every {steps}"


def size(count):
    """Bytes in words: '1.2 GB'."""
    name, unit = next((pair for pair in UNITS if count < 1000 * pair[1]), UNITS[-1])
    return f"{count / unit:.3g} {name}"


def clock(seconds):
    """'1:02:03'."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
