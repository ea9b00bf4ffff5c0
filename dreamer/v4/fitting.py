"""A phase while it trains: its state on the devices, its log, its saves and what it publishes."""

import math
import time
from functools import lru_cache, partial

import jax
import numpy as np

from dreamer import boards, checkpoint, logs
from dreamer import options as trees
from dreamer import state as states
from dreamer.v4 import batches, mesh, steps
from dreamer.v4.encoding import work
from jobs.errors import Refused

TRAIN, TEST = 21, 22  # streams of keys and batches, apart from those of acting


class Training:
    """The training of `phase` from its beginning; `data` [train, test or None]."""

    def __init__(self, phase, asked, ready, saves, data):
        self.phase, self.options, self.config = phase, asked.options, ready.config
        self.asked, self.about, self.saves, self.data = asked, ready.about, saves, data
        self.devices, self.block = ready.devices, getattr(ready.config, phase.block)
        self.total, self.update, self.pending, self._unread = self.block.updates, 0, [], []
        mine, fixed = steps.split(phase, ready.values)
        self.fixed = ready.devices.place(fixed)
        self.state = ready.devices.place(steps.fresh(phase, ready.config, mine))
        self.lines = logs.Lines(saves.folder / "metrics.jsonl")
        self.board = boards.Boards([])
        self.seconds = {"batch": 0.0, "update": 0.0}
        self._root = jax.random.fold_in(jax.random.key(self.options["seed"]), phase.number)
        programs = _programs(phase, self.config, self.options["run"]["accumulate"], self.devices)
        self._step, self._test, self._ahead = *programs, None

    def advance(self):
        """One update; the next batch is drawn while the devices compute."""
        start = time.perf_counter()
        rows = self._ahead or self._rows(TRAIN, self.update, self.data[0])
        middle = time.perf_counter()
        key = self._key(TRAIN, self.update)
        self.state, metrics = self._step(self.state, self.fixed, rows, key)
        if self._unread:
            jax.block_until_ready(self._unread[-1])  # no more than two updates wait
        self._unread.append(metrics)
        self.update += 1
        more = self.update < self.total
        self._ahead = self._rows(TRAIN, self.update, self.data[0]) if more else None
        self.seconds["batch"] += middle - start
        self.seconds["update"] += time.perf_counter() - middle
        if self.update % self.options["run"]["log_every"] == 0 or not more or self._tested():
            self.log()

    def log(self):
        """Write the mean of the metrics since the last row; now and then also of held-out data."""
        rows = self.fetch()
        row = {name: _mean([row[name] for row in rows]) for name in rows[0]}
        if self._tested():
            row |= self._examine()
        self.pending = []
        if jax.process_index() == 0:
            counts = {"step": self.about["updates"] + self.update, "updates": self.update}
            self.lines.add(counts | row)
            self.board.scalars(self.update, row)

    def fetch(self):
        """Metrics of the updates since the last row, None where one is not finite.

        A loss that is not finite is refused.
        """
        for found in mesh.fetch(self._unread):
            row = {name: float(value) for name, value in sorted(found.items())}
            finite = {name: x if math.isfinite(x) else None for name, x in row.items()}
            self.pending.append(finite)
            wrong = [name for name in row if name[:5] == "loss/" and finite[name] is None]
            if wrong:
                raise Refused(
                    f"{wrong[0]} became {row[wrong[0]]} before update "
                    f"{self.update + 1}; the last saved state is kept; lower option "
                    f"{self.phase.block}.lr and train anew"
                )
        self._unread = []
        return self.pending

    def save(self):
        """Keep everything needed to continue from here; before the first update that is nothing."""
        if self.update:
            pending, arrays = self.fetch(), states.arrays("state", mesh.fetch(self.state))
            if jax.process_index() == 0:
                facts = {"update": self.update, "log": self.lines.size(), "pending": pending}
                self.saves.save(self.update, facts, arrays)

    def restore(self):
        """Continue from the newest save, if there is one; log rows after it are cut."""
        facts, arrays = self.saves.restore() or ({"log": 0}, None)
        if jax.process_index() == 0:
            self.lines.cut(facts["log"])
        if arrays is not None:
            self.update, self.pending = facts["update"], facts["pending"]
            self.state = self.devices.place(states.tree("state", self.state, arrays))

    def reached(self):
        """The last update that the log tells of, saved or not."""
        return self.lines.last().get("updates", 0)

    def keep_snapshot(self):
        """A checkpoint of now, which waits for the end among the saves."""
        self._write(self._waiting(self.update), self._values())

    def publish(self):
        """The log and snapshots first, the checkpoint last: it says that the phase is finished."""
        values = self._values()
        values = self.phase.finish(values, self.config, self.data[0].episodes, work(self.asked))
        if jax.process_index():
            return
        about = {"agent": self.options["agent"], "task": self.options["task"]}
        about |= {"phase": self.phase.name, "options": trees.result(self.options)}
        about |= {"seed": self.options["seed"]}
        self.lines.publish(self.asked.metrics, "metrics", about, ("step", "updates"), ())
        for update, path in self.asked.snapshots.items():
            header, old = checkpoint.load(self._waiting(update))
            checkpoint.save(path, old, header)
        self._write(self.asked.checkpoint, values)

    def _values(self):
        return mesh.fetch(self.fixed | self.state.values)

    def _write(self, path, values):
        if jax.process_index() == 0:
            done = self.about["updates"] + self.update
            header = {
                "agent": self.options["agent"],
                "options": trees.result(self.options),
                "phase": self.phase.name,
                "step": done,
                "updates": done,
                "seed": self.options["seed"],
                "spaces": self.about["spaces"],
                "world": self.about["world"],
            }
            values = {name: np.asarray(value) for name, value in values.items()}
            checkpoint.save(path, values, header | self.asked.provenance())

    def _waiting(self, update):
        return self.saves.folder / "snapshots" / f"{update}.safetensors"

    def _rows(self, stream, number, data):
        """The batch of an update, of which this process reads its part."""
        rng = batches.rng(self.options["seed"], stream, self.phase.number, number)
        part = slice(*self.devices.local(self.block.batch))
        return self.devices.feed(self.phase.batch(data, self.config, rng, part))

    def _examine(self):
        """{test/name: float} of one batch of held-out data, always the same."""
        rows = self._rows(TEST, 0, self.data[1])
        found = mesh.fetch(self._test(self.state, self.fixed, rows, self._key(TEST, 0)))
        more = self.phase.watch(self._values(), self.config, mesh.fetch(rows))
        found |= {f"test/{name}": value for name, value in more.items()}
        return {name: float(value) for name, value in found.items()}

    def _tested(self):
        """Whether held-out data are looked at after this update."""
        times = self.options["run"]["tests"]
        every = -(-self.total // times) if times else 0
        return bool(self.data[1] and every) and (
            self.update % every == 0 or self.update == self.total
        )

    def _key(self, *words):
        key = self._root
        for word in words:
            key = jax.random.fold_in(key, word)
        return self.devices.everywhere(key)


@lru_cache
def _programs(phase, config, parts, devices):
    """The compiled update and test; the state stays where the mesh wants it."""
    update, test = (partial(what, phase, config, parts) for what in (steps.update, steps.test))

    def placed(state, fixed, rows, key):
        state, metrics = update(state, fixed, rows, key)
        return devices.pin(state), metrics

    return jax.jit(placed, donate_argnums=0), jax.jit(test)


def _mean(values):
    """Mean of the numbers among `values`, which may be None; NaN without any."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")
