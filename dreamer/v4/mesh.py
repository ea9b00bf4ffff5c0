"""One program over many devices and microbatches, with the numbers of one device and one batch.

The devices form a mesh `data` x `fsdp`: a batch is split among all of them, a large array of the
state among those of a row of `fsdp`. Losses are sums and weights over the whole batch, divided
last, so neither the split nor the accumulation changes what is optimised.
In the shapes, B is the batch, P microbatches.
"""

import os

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jobs.errors import Refused

AXES = ("data", "fsdp")
SMALL = 2**12  # numbers: smaller arrays are on every device, whatever fsdp is


class Devices:
    """The first `count` visible devices (0: all), in groups of `fsdp` that share the state."""

    def __init__(self, count, fsdp=1, batch=None, parts=1):
        seen = jax.devices()
        if count > len(seen):
            raise Refused(
                f"option run.devices is {count}, but JAX finds {len(seen)} here "
                f"({seen[0].platform}); lower it, or take 0 for all there are"
            )
        count = count or len(seen)
        if jax.process_count() > 1 and count < len(seen):
            raise Refused(
                f"option run.devices is {count}, but the {jax.process_count()} processes have "
                f"{len(seen)} together, all of which take part; set it to 0"
            )
        if count % fsdp:
            raise Refused(f"option run.fsdp is {fsdp}, but must divide the {count} devices")
        if batch is not None and batch % (count * parts):
            raise Refused(
                f"the batch of {batch} rows must be a multiple of {count} devices times "
                f"{parts} microbatches (run.devices, run.accumulate)"
            )
        self.mesh = Mesh(np.array(seen[:count]).reshape(-1, fsdp), AXES)
        self.fsdp = fsdp
        self.whole = NamedSharding(self.mesh, PartitionSpec())
        self.rows = NamedSharding(self.mesh, PartitionSpec(AXES))

    def sharding(self, leaf):
        """Where a leaf of the state lies: its largest axis that `fsdp` divides is split."""
        axes = [axis for axis, size in enumerate(leaf.shape) if size % self.fsdp == 0]
        if self.fsdp == 1 or leaf.size < SMALL or not axes:
            return self.whole
        largest = max(axes, key=lambda axis: leaf.shape[axis])
        return NamedSharding(self.mesh, PartitionSpec(*[None] * largest, "fsdp"))

    def shardings(self, tree):
        """`sharding` of every leaf."""
        return jax.tree.map(self.sharding, tree)

    def __eq__(self, other):
        return self.mesh == other.mesh

    def __hash__(self):
        return hash(self.mesh)

    def pin(self, tree):
        """Inside a program: the same arrays, which have to lie where `sharding` says."""
        return jax.lax.with_sharding_constraint(tree, self.shardings(tree))

    def place(self, tree):
        """A state (numpy or on other devices) where this mesh wants it."""
        if jax.process_count() > 1:  # devices of other processes take no arrays of this one
            tree = jax.device_get(tree)
        return jax.tree.map(lambda leaf: jax.device_put(leaf, self.sharding(leaf)), tree)

    def everywhere(self, key):
        """A random key, which all processes have, on all devices."""
        data = np.asarray(jax.random.key_data(key))
        return jax.random.wrap_key_data(jax.device_put(data, self.whole))

    def local(self, batch):
        """Rows [first, end) of a batch of so many that this process has to read."""
        index = self.rows.addressable_devices_indices_map((batch,)).values()
        ranges = [item[0].indices(batch) for item in index]
        return min(first for first, _, _ in ranges), max(end for _, end, _ in ranges)

    def feed(self, rows):
        """A global batch of which this process gives its `local` rows {name: [b, ...]}."""
        return {
            name: jax.make_array_from_process_local_data(self.rows, np.asarray(value))
            for name, value in rows.items()
        }


def fetch(tree):
    """A tree as numpy arrays, whole on every process."""
    if jax.process_count() == 1:
        return jax.device_get(tree)
    from jax.experimental import multihost_utils

    return jax.tree.map(lambda leaf: multihost_utils.process_allgather(leaf, tiled=True), tree)


def summed(function, rows, parts=1):
    """Sum over all rows of `function(rows) -> tree of sums`, `parts` microbatches one by one.

    rows is a tree of arrays [B, ...]. What a microbatch computes is thrown away and computed again
    for the gradient: that is what saves the memory.
    """
    if parts == 1:
        return function(rows)
    split = jax.tree.map(lambda x: deal(x, parts), rows)
    one = jax.checkpoint(function)
    start = jax.tree.map(
        lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(one, jax.tree.map(_first, split))
    )

    def body(total, part):
        return jax.tree.map(jnp.add, total, one(part)), None

    return jax.lax.scan(body, start, split)[0]


def mapped(function, rows, parts=1):
    """`function(rows) -> tree of arrays [B, ...]`, computed in `parts` microbatches."""
    if parts == 1:
        return function(rows)
    found = jax.lax.map(function, jax.tree.map(lambda x: deal(x, parts), rows))
    return jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1).reshape(-1, *x.shape[2:]), found)


def deal(x, parts):
    """[B, ...] to [P, B/P, ...] such that every device has rows in every microbatch."""
    return jnp.swapaxes(x.reshape(-1, parts, *x.shape[1:]), 0, 1)


def pair(total, weight):
    """Sums of a per-row pair [B], as `mean` takes them."""
    return jnp.stack([total.astype(jnp.float32).sum(), weight.astype(jnp.float32).sum()])


def mean(pair):
    """Total divided by weight; 0 where nothing counted."""
    return pair[0] / jnp.where(pair[1] > 0, pair[1], 1.0)


def known(pair):
    """`mean`, but NaN where nothing counted."""
    return jnp.where(pair[1] > 0, mean(pair), jnp.nan)


def _first(x):
    return x[0]


def join(options):
    """Join the other processes of a training over several hosts, if `run.hosts` says so.

    A cluster that JAX knows (SLURM) needs no address; elsewhere JAX_PROCESS_ID counts from 0.
    """
    if options["hosts"] > 1:
        address, number = options["coordinator"] or None, os.environ.get("JAX_PROCESS_ID", "")
        if address and not (number.isdecimal() and int(number) < options["hosts"]):
            raise Refused(
                f"option run.coordinator is {address}, but JAX_PROCESS_ID in the environment does "
                f"not say which of the {options['hosts']} processes this is; number them from 0 on"
            )
        joined = (options["hosts"], int(number)) if address else ()
        try:
            jax.distributed.initialize(address, *joined)
        except ValueError as error:
            raise Refused(
                f"option run.hosts is {options['hosts']}, but JAX knows no cluster here ({error}); "
                "give run.coordinator, host:port of the first process, and set JAX_PROCESS_ID"
            ) from None
