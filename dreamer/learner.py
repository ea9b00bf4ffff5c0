"""The agent while it learns: its state, its policy, one update after another from the replay.

In the shapes, B is batch, T the rows of a window.
"""

import time
from functools import partial

import jax
import numpy as np

from dreamer import checkpoint, state
from jobs.errors import Refused

INIT, TRAIN = 0, 2  # streams of keys; 1 is the driver's


class Learner:
    """State of a family's agent, updated from `replay`.

    What an update returns is fetched while the next one runs: metrics when asked for, fresh beliefs
    one update late. All randomness follows from the seed and the number of the update.
    """

    def __init__(self, module, options, spaces, replay):
        self.module, self.options, self.replay = module, options, replay
        self.size = options["run"]["batch_size"]
        self.root = jax.random.key(options["seed"])
        self.state = jax.jit(partial(module.init, options, spaces))(self._key(INIT))
        self.belief = [item.name for item in module.layers(options, spaces) if item.belief]
        self.updates, self.recent, self._late = 0, [], None
        self.seconds = {"update": 0.0, "waiting": 0.0}
        self._act = jax.jit(self._beliefs)
        self._train = None
        if options["run"]["from_checkpoint"]:
            self._start_from(options["run"]["from_checkpoint"])

    def compile(self):
        """Prepare the update; returns its memory in bytes {agent, working}."""
        batch = self.replay.blank(self.size)
        train = jax.jit(self.module.train, donate_argnums=0)
        self._train = train.lower(self.state, batch, self._key(TRAIN)).compile()
        found = self._train.memory_analysis()
        agent = sum(leaf.nbytes for leaf in jax.tree.leaves(self.state))
        return {"agent": agent, "working": found.temp_size_in_bytes if found else 0}

    def policy(self, carry, observation, keys):
        """Sampled actions and belief layers, as `driver.Driver` wants them."""
        start = time.perf_counter()
        jax.block_until_ready(self.state.params)
        self.seconds["waiting"] += time.perf_counter() - start
        return self._act(self.state.params, carry, observation, keys)

    def update(self, step):
        """One update, at environment step `step`."""
        start = time.perf_counter()
        rng = np.random.default_rng([self.options["seed"], self.updates])
        batch, windows = self.replay.sample(rng, self.size)
        key = self._key(TRAIN, self.updates)
        self.state, metrics, fresh = self._train(self.state, batch, key)
        self.updates += 1
        self._write_late()
        self._late = windows, fresh
        self.recent.append({"step": step, "updates": self.updates, **metrics})
        self.seconds["update"] += time.perf_counter() - start

    def fetch(self):
        """Metrics of the updates since `clear`, as floats; a loss that is not finite is refused."""
        self.recent = [_floats(row) for row in jax.device_get(self.recent)]
        for row in self.recent:
            for name, value in row.items():
                if name.startswith("loss/") and not np.isfinite(value):
                    raise Refused(
                        f"{name} became {value} in update {row['updates']} at environment step "
                        f"{row['step']}; the last saved state is kept; lower opt.lr and train anew"
                    )
        return self.recent

    def clear(self):
        """Begin a new row of metrics."""
        self.recent = []

    def save(self):
        """(facts, arrays) for `restore`."""
        rows = self.fetch()
        names = sorted(rows[0]) if rows else []
        arrays = state.arrays("agent", self.state)
        arrays["recent"] = np.array([[row[name] for name in names] for row in rows])
        if self._late:
            windows, fresh = self._late
            arrays |= {"windows": windows} | state.arrays("fresh", fresh)
        return {"updates": self.updates, "recent": names}, arrays

    def restore(self, facts, arrays):
        """Continue from what `save` gave."""
        self.updates, names = facts["updates"], facts["recent"]
        self.recent = [dict(zip(names, row, strict=True)) for row in arrays["recent"].tolist()]
        self.state = state.tree("agent", self.state, arrays)
        if "windows" in arrays:
            batch = self.replay.blank(self.size)
            fresh = jax.eval_shape(self.module.train, self.state, batch, self.root)[2]
            self._late = arrays["windows"], state.tree("fresh", fresh, arrays)

    def values(self):
        """Parameters {name: numpy array}."""
        return jax.device_get(self.state.params.values)

    def _key(self, *words):
        key = self.root
        for word in words:
            key = jax.random.fold_in(key, word)
        return key

    def _beliefs(self, params, carry, observation, keys):
        carry, action, found = self.module.act(params, carry, observation, keys, True)
        return carry, action, {name: found[name] for name in self.belief}

    def _write_late(self):
        if self._late:
            windows, fresh = self._late
            self.replay.write_back(windows, jax.device_get(fresh))

    def _start_from(self, path):
        _, values = checkpoint.load(path)
        self.state = checkpoint.fill(self.state, values, path)


def _floats(row):
    return {name: np.asarray(value).item() for name, value in row.items()}
