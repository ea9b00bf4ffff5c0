"""The agent while it learns: its state, its policy, one update after another from the replay.

In the shapes, B is batch, T the rows of a window.
"""

import time

import jax
import numpy as np

from dreamer import checkpoint, devices, state
from jobs.errors import Refused

TRAIN, SURVEY = 2, 3  # streams of keys; 0 is that of initialisation, 1 the driver's


class Learner:
    """State of a family's agent, updated from `replay`.

    One call makes `run.updates_per_call` updates, K in the shapes. The batches of the next call are
    drawn while a call computes; metrics are fetched when asked for, fresh beliefs one call late.
    All randomness follows from the seed and the number of the update.
    """

    def __init__(self, module, options, spaces, replay):
        self.module, self.options, self.replay = module, options, replay
        run = options["run"]
        self.size, self.per_call = run["batch_size"], run["updates_per_call"]
        self.devices = devices.Devices(run["devices"])
        self.devices.check(self.size)
        self.root = jax.random.key(options["seed"])
        self.state = checkpoint.fresh(module, options, spaces, options["seed"])
        if run["from_checkpoint"]:
            self._start_from(run["from_checkpoint"])
        self.state = self.devices.everywhere(self.state)
        self.belief = [item.name for item in module.layers(options, spaces) if item.belief]
        self.updates, self.recent, self._unread = 0, [], []
        self._ahead = self._late = self._params = None
        self.seconds = {"update": 0.0, "survey": 0.0, "waiting": 0.0}
        self._act = jax.jit(self._beliefs)
        self._surprise = jax.jit(module.surprise) if hasattr(module, "surprise") else None
        self._program = devices.several(module.train)
        self._train = None

    def compile(self):
        """Prepare the updates; returns their memory in bytes {agent, working}, per device."""
        arguments = self.state, self._blank(), self._keys()
        self._train = self.devices.compile(self.module.train, *arguments)
        found = self._train.memory_analysis()
        agent = sum(leaf.nbytes for leaf in jax.tree.leaves(self.state))
        return {"agent": agent, "working": found.temp_size_in_bytes if found else 0}

    @property
    def params(self):
        """The family's parameters on one device."""
        if self._params is None:
            self._params = self.devices.first(self.state.params)
        return self._params

    @property
    def unlogged(self):
        """Updates whose metrics wait for `fetch` and `clear`."""
        return len(self.recent) + self.per_call * len(self._unread)

    def placed(self, carry):
        """A carry on the policy's device, as its later ones are; else it is compiled twice."""
        return self.devices.first(self.devices.everywhere(carry))

    def policy(self, carry, observation, keys):
        """Sampled actions and belief layers, as `driver.Driver` wants them."""
        start = time.perf_counter()
        params = jax.block_until_ready(self.params)
        self.seconds["waiting"] += time.perf_counter() - start
        return self._act(params, carry, observation, keys)

    def update(self, step):
        """One call of updates, at environment step `step`."""
        start = time.perf_counter()
        batches, windows = self._ahead or self._draw()
        self._params = None
        self.state, metrics, fresh = self._train(self.state, batches, self._keys())
        self._unread.append((step, self.updates, metrics))
        self._write_late()
        self._late = windows, fresh
        self.updates += self.per_call
        self._ahead = self._draw()
        self.seconds["update"] += time.perf_counter() - start

    def survey(self, step):
        """Tell the sampler the KL of all kept rows under the present weights."""
        start, key = time.perf_counter(), self._key(SURVEY, step)
        windows, found = self.replay.cover(), []
        for first in range(0, len(windows), self.size):
            part = np.resize(windows[first : first + self.size], (self.size, 2))
            batch = self.replay.read(part, self.replay.window)
            found.append(self._surprise(self.params, batch, jax.random.fold_in(key, first)))
            if len(found) > 1:  # one is computed while the next is read
                found[-2] = np.asarray(found[-2])
        self.replay.sampler.cache(windows, np.concatenate(found)[: len(windows)])
        self.seconds["survey"] += time.perf_counter() - start

    def fetch(self):
        """Metrics of the updates since `clear`, as floats; a loss that is not finite is refused."""
        for step, updates, metrics in jax.device_get(self._unread):
            for index in range(self.per_call):
                row = {name: value[index].item() for name, value in metrics.items()}
                self.recent.append({"step": step, "updates": updates + index + 1, **row})
        self._unread = []
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
            (windows, fresh), (batches, ahead) = self._late, self._ahead
            arrays |= {"windows": windows, "ahead": ahead}
            arrays |= state.arrays("fresh", fresh) | state.arrays("batches", batches)
        return {"updates": self.updates, "recent": names}, arrays

    def restore(self, facts, arrays):
        """Continue from what `save` gave."""
        self.updates, names = facts["updates"], facts["recent"]
        self.recent = [dict(zip(names, row, strict=True)) for row in arrays["recent"].tolist()]
        self.state = self.devices.everywhere(state.tree("agent", self.state, arrays))
        self._params = None
        if "windows" in arrays:
            batches = self._blank()
            fresh = jax.eval_shape(self._program, self.state, batches, self._keys())[2]
            self._late = arrays["windows"], state.tree("fresh", fresh, arrays)
            batches = state.tree("batches", batches, arrays)
            self._ahead = jax.device_put(batches, self.devices.split), arrays["ahead"]

    def values(self):
        """Parameters {name: numpy array}."""
        return jax.device_get(self.state.params.values)

    def _draw(self):
        """(batches {name: [K, B, ...]}, windows) for the next call."""
        rng = np.random.default_rng([self.options["seed"], self.updates])
        batch, windows = self.replay.sample(rng, self.per_call * self.size)
        return jax.device_put(self._calls(batch), self.devices.split), windows

    def _blank(self):
        return self._calls(self.replay.blank(self.per_call * self.size))

    def _calls(self, batch):
        lead = self.per_call, self.size
        return {name: rows.reshape(*lead, *rows.shape[1:]) for name, rows in batch.items()}

    def _keys(self):
        """Keys [K] of the next updates."""
        first = self.updates
        keys = [self._key(TRAIN, first + index) for index in range(self.per_call)]
        return self.devices.everywhere(jax.numpy.stack(keys))

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
            fresh = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), jax.device_get(fresh))
            self.replay.write_back(windows, fresh)

    def _start_from(self, path):
        _, values = checkpoint.load(path)
        self.state = checkpoint.fill(self.state, values, path)
