"""Time one training update of an agent on a random batch; compilation apart.

--plain forces the plain convolutions, to see what the other forms bring.
"""

import json
import math
import resource
import statistics
import time

import jax
import numpy as np

from bench import flops
from dreamer import conv, family, options, spaces
from dreamer.devices import Devices
from jobs import cli

# Dense bfloat16 multiply-adds per second, from the vendors' data sheets, as 2 operations each.
PEAKS = {"A100": 312e12, "H100": 989e12, "H200": 989e12, "B200": 2250e12}


def main(
    size: str = "size1m",
    batch: int = 16,
    length: int = 64,
    updates: int = 5,
    dtype: str = "auto",
    plain: bool = False,
    per_call: int = 1,
    devices: int = 1,
    unroll: int = 1,
):
    """Print seconds per update, compile time, peak memory and parameters as one JSON line.

    --per-call, --devices and --unroll are the options run.updates_per_call, run.devices and
    dyn.unroll.
    """
    jax.config.update("jax_enable_compilation_cache", False)
    conv.FORCED = "plain" if plain else None
    tree = options.resolve([size], {"dtype": dtype, "dyn.unroll": unroll})
    agent, places = family.load(tree["agent"]), Devices(devices)
    places.check(batch)
    seen = crafter()
    state = places.everywhere(agent.init(tree, seen, jax.random.key(0)))
    values = state.params.values.values()
    found = {
        "size": size,
        "batch": batch,
        "length": length,
        "dtype": dtype,
        "plain": plain,
        "per_call": per_call,
        "devices": len(places.all),
        "unroll": unroll,
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "parameters": sum(math.prod(value.shape) for value in values),
    }
    rows = random_batch(agent.layers(tree, seen), seen, batch, length + 1)
    rows = {name: np.stack([value] * per_call) for name, value in rows.items()}
    found |= measure(places, agent, state, jax.device_put(rows, places.split), updates)
    found["share_of_bf16_peak"] = share_of_peak(found)
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
    return found | belief


def measure(places, agent, state, rows, updates):
    """Compile, make one call to warm up, then time `updates` of them one by one.

    rows {name: [K, B, ...]}; K updates make a call. The time of the processors is given beside the
    clock's, for machines that others use too.
    """
    count = len(rows["reward"])
    keys = places.everywhere(jax.random.split(jax.random.key(1), count))
    operations = flops.count(agent.train, state, {name: x[0] for name, x in rows.items()}, keys[0])
    start = time.perf_counter()
    train = places.compile(agent.train, state, rows, keys)
    compiled = time.perf_counter() - start
    seconds, work = [], []
    for _ in range(updates + 1):
        start, begun = time.perf_counter(), time.process_time()
        state, metrics, _ = train(state, rows, keys)
        jax.block_until_ready((state, metrics))
        seconds.append((time.perf_counter() - start) / count)
        work.append((time.process_time() - begun) / count)
    return {
        "seconds_per_update": round(statistics.median(seconds[1:]), 4),
        "cpu_seconds_per_update": round(statistics.median(work[1:]), 4),
        "compile_seconds": round(compiled, 1),
        "flop_per_update": operations,
    }


def share_of_peak(found):
    """Share of the devices' bfloat16 peak; None where the peak is not known."""
    peak = next((PEAKS[name] for name in PEAKS if name in found["device"]), None)
    if not peak:
        return None
    rate = found["flop_per_update"] / found["seconds_per_update"]
    return round(rate / (peak * found["devices"]), 4)


def peak_memory():
    """Most bytes held so far: of the device where it tells, else of this process."""
    device = jax.devices()[0].memory_stats() or {}
    return device.get(
        "peak_bytes_in_use", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )


if __name__ == "__main__":
    cli.run(main)
