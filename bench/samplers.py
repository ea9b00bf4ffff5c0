"""Time the samplers of the replay beside `uniform`, and against an update of an agent.

An update of 1,024 steps comes with two new steps at Crafter's train ratio of 512, so its share is
two inserts, a draw of 16 windows and the signal of 16 x 64 steps. `uncertainty_caching` adds a pass
over the replay every 2,000 steps, which is timed on one batch and counted up.
"""

import gc
import json
import os
import time
import tracemalloc

import jax
import numpy as np

from bench import update
from dreamer import family, options, samplers
from dreamer.devices import Devices
from jobs import cli

WINDOW, BATCH, INSERTS = 65, 16, 2
SIGNALS = ("kl", "beliefs", "model")
BLOCK = 1000  # windows that are filled with signals at once


def main(
    steps: list[int] | None = None,
    repeats: int = 500,
    size: str = "size12m",
    update_seconds: float = 0.0,
):
    """Print microseconds, ratios, shares of an update and bytes per step as one JSON line.

    --update-seconds is the time of an update of --size where it is known; else one is timed.
    """
    agent = whole_agent(size, update_seconds)
    found = {"size": size, **agent, "replays": []}
    for count in steps or (100_000, 1_000_000):
        rows = {name: one(name, count, repeats) for name in samplers.KINDS}
        plain = dict(rows["uniform"])
        for row in rows.values():
            for name in ("insert", "draw", "update"):
                row[f"{name}_over_uniform"] = round(row[f"{name}_us"] / plain[f"{name}_us"], 1)
            spent = 1e-6 * (INSERTS * row["insert_us"] + row["draw_us"] + row["update_us"])
            row["share_of_update"] = round(spent / agent["update_seconds"], 6)
        if agent["batch_pass_seconds"]:
            rows["uncertainty_caching"] |= whole_pass(count, agent)
        found["replays"].append({"steps": count, "samplers": rows})
    print(json.dumps(found))


def one(name, count, repeats):
    """Times of a sampler of `count` steps in one environment, all with a signal."""
    settings = options.resolve((), {"replay.sampler": name})["replay"]
    gc.collect()
    tracemalloc.start()
    sampler, rng = samplers.make(1, WINDOW, count, settings), np.random.default_rng(0)
    fill(sampler, rng, count)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    signal, end = random_signal(rng, BATCH), iter(range(count + 1, 2 * count))

    def insert():
        now = next(end)
        sampler.keep(now - count, now)

    def update():  # gives the drawn steps a signal again, or soon all would be at zero
        sampler.learn(drawn, signal)

    times = {"insert": [], "draw": [], "update": []}
    for _ in range(repeats):
        times["insert"].append(seconds(insert))
        start = time.perf_counter()
        drawn = sampler.draw(rng, BATCH)
        times["draw"].append(time.perf_counter() - start)
        times["update"].append(seconds(update))
    times["log"] = [seconds(sampler.measure) for _ in range(5)]
    found = {f"{key}_us": round(1e6 * float(np.median(value)), 2) for key, value in times.items()}
    return found | {"bytes_per_step": round(held / count, 1)}


def fill(sampler, rng, count):
    """Let `count` steps come and give all of them a signal."""
    sampler.keep(0, WINDOW)
    sampler.keep(0, count)
    starts = np.arange(0, count - WINDOW + 1, WINDOW - 1)
    windows = np.stack([np.zeros_like(starts), starts], 1)
    for first in range(0, len(windows), BLOCK):
        part = windows[first : first + BLOCK]
        sampler.learn(part, random_signal(rng, len(part)))
    if sampler.due:
        sampler.cache(windows, random_signal(rng, len(windows))["kl"])


def random_signal(rng, count):
    """What an update on `count` windows might give."""
    return {name: rng.gamma(2.0, 5.0, (count, WINDOW - 1)).astype("float32") for name in SIGNALS}


def seconds(action):
    """Time of an action by the clock."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def whole_agent(size, known):
    """Seconds of an update of the agent, if not known, and of the KL of a batch without one."""
    tree = options.resolve([size])
    agent, seen, places = family.load(tree["agent"]), update.crafter(), Devices(1)
    state = places.everywhere(agent.init(tree, seen, jax.random.key(0)))
    rows = update.random_batch(agent.layers(tree, seen), seen, BATCH, WINDOW)
    surprise, key = jax.jit(agent.surprise), jax.random.key(1)
    jax.block_until_ready(surprise(state.params, rows, key))
    start, spent = time.perf_counter(), time.process_time()
    jax.block_until_ready(surprise(state.params, rows, key))
    took = time.perf_counter() - start, time.process_time() - spent
    found = {"batch_pass_seconds": round(least(*took), 4)}
    found["update_seconds"] = known or timed(places, agent, state, rows)
    return found | {"update_was_timed": not known}


def timed(places, agent, state, rows):
    """Seconds of an update."""
    rows = {name: value[None] for name, value in rows.items()}
    found = update.measure(places, agent, state, jax.device_put(rows, places.split), 1)
    return round(least(found["seconds_per_update"], found["cpu_seconds_per_update"]), 4)


def least(clock, processors):
    """Seconds; on a CPU what it takes at the least, on all cores and with nothing else there."""
    cpu = jax.default_backend() == "cpu"
    return processors / len(os.sched_getaffinity(0)) if cpu else clock


def whole_pass(count, agent):
    """A pass over the replay counted up from one batch, and its part of the updates between two."""
    settings = options.resolve()["replay"]
    seconds = count / (BATCH * (WINDOW - 1)) * agent["batch_pass_seconds"]
    updates = settings["cache_every"] / INSERTS
    share = seconds / (updates * agent["update_seconds"])
    return {"pass_seconds": round(seconds, 1), "pass_share_of_updates": round(share, 4)}


if __name__ == "__main__":
    cli.run(main)
