"""One program over several devices: the batch is split among them, everything else is on all.

In the shapes, K is updates in one call, B the batch.
"""

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jobs.errors import Refused

AXIS = "batch"


class Devices:
    """The first `count` visible devices, or all of them for 0."""

    def __init__(self, count):
        seen = jax.devices()
        if count > len(seen):
            raise Refused(
                f"option run.devices is {count}, but JAX finds {len(seen)} here "
                f"({seen[0].platform}); lower it, or take 0 for all there are"
            )
        self.all = seen[: count or len(seen)]
        mesh = Mesh(np.array(self.all), (AXIS,))
        self.whole = NamedSharding(mesh, PartitionSpec())
        self.split = NamedSharding(mesh, PartitionSpec(None, AXIS))  # arrays [K, B, ...]

    def check(self, batch):
        """Refuse a batch of so many sequences that cannot be split evenly."""
        if batch % len(self.all):
            raise Refused(
                f"option run.batch_size is {batch}, but must be a multiple of the "
                f"{len(self.all)} devices that run.devices asks for"
            )

    def everywhere(self, tree):
        """`tree` with a copy of each array on every device."""
        return jax.device_put(tree, self.whole)

    def first(self, tree):
        """The copies on the first device, where the policy runs; shares their memory."""
        return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)

    def compile(self, train, state, batches, keys):
        """The program of `several(train)` for arguments like these; it takes over the state."""
        program = jax.jit(
            several(train),
            donate_argnums=0,
            in_shardings=(self.whole, self.split, self.whole),
            out_shardings=(self.whole, self.whole, self.split),
        )
        return program.lower(state, batches, keys).compile()


def several(train):
    """A family's `train` over batches {name: [K, B, ...]} and keys [K], as one program.

    Metrics and write-back get a leading axis K.
    """

    def one(state, inputs):
        state, metrics, fresh = train(state, *inputs)
        return state, (metrics, fresh)

    def program(state, batches, keys):
        if len(keys) > 1:
            state, found = jax.lax.scan(one, state, (batches, keys))
        else:  # a CPU computes much slower inside a loop, even of one turn
            state, found = one(state, jax.tree.map(lambda x: x[0], (batches, keys)))
            found = jax.tree.map(lambda x: jax.numpy.asarray(x)[None], found)
        return state, *found

    return program
