"""Time one training update of an agent on a random batch; compilation apart.

--plain forces the plain convolutions, to see what the other forms bring.
"""

import json
import math
import resource
import statistics
import time
from functools import partial

import jax
import numpy as np

from dreamer import conv, family, options, spaces
from jobs import cli


def main(
    size: str = "size1m",
    batch: int = 16,
    length: int = 64,
    updates: int = 5,
    dtype: str = "auto",
    plain: bool = False,
):
    """Print seconds per update, compile time, peak memory and parameters as one JSON line."""
    jax.config.update("jax_enable_compilation_cache", False)
    tree = options.resolve([size], {"dtype": dtype})
    agent = family.load(tree["agent"])
    seen = crafter()
    if plain:
        for name in ("conv_pool", "upsample_conv"):
            setattr(conv, name, partial(getattr(conv, name), form="plain"))
    state = agent.init(tree, seen, jax.random.key(0))
    values = state.params.values.values()
    found = {
        "size": size,
        "batch": batch,
        "length": length,
        "dtype": dtype,
        "plain": plain,
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "parameters": sum(math.prod(value.shape) for value in values),
    }
    rows = random_batch(agent.layers(tree, seen), seen, batch, length + 1)
    found |= measure(agent, state, rows, updates)
    print(json.dumps(found | {"peak_memory_gb": round(peak_memory() / 2**30, 3)}))


def crafter():
    """Spaces of a Crafter agent."""
    image = spaces.Space((64, 64, 3), "uint8")
    return spaces.Spaces((("image", image),), spaces.Space((), "int32", 17))


def random_batch(layers, seen, batch, rows):
    """What the replay would give: [B, rows, ...] of noise, no episode ending in it."""
    rng, lead = np.random.default_rng(0), (batch, rows)
    no = np.zeros(lead, bool)
    image = dict(seen.observation)["image"]
    found = {
        "image": rng.integers(0, 256, (*lead, *image.shape), np.uint8),
        "action": rng.integers(0, seen.action.classes, lead, np.int32),
        "reward": rng.normal(size=lead).astype(np.float32),
        **dict.fromkeys(("is_first", "is_last", "is_terminal"), no),
    }
    belief = {
        layer.name: np.zeros((batch, layer.width), np.float32) for layer in layers if layer.belief
    }
    return jax.device_put(found | belief)


def measure(agent, state, rows, updates):
    """Compile, run one update to warm up, then time `updates` of them one by one."""
    start = time.perf_counter()
    program = jax.jit(agent.train, donate_argnums=0)
    train = program.lower(state, rows, jax.random.key(1)).compile()
    compiled = time.perf_counter() - start
    seconds = []
    for index in range(updates + 1):
        start = time.perf_counter()
        state, metrics, _ = train(state, rows, jax.random.key(index))
        jax.block_until_ready((state, metrics))
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    return {"seconds_per_update": round(median, 4), "compile_seconds": round(compiled, 1)}


def peak_memory():
    """Most bytes held so far: of the device where it tells, else of this process."""
    device = jax.devices()[0].memory_stats() or {}
    return device.get(
        "peak_bytes_in_use", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )


if __name__ == "__main__":
    cli.run(main)
