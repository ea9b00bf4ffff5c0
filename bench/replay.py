"""Time the replay on disk at the size of a long training, beside what a user would pick instead.

The rivals keep fewer rows: a ring of numpy arrays in RAM, and numpy.memmap over one file per key.
"""

import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.update import crafter
from dreamer import family, options, replay
from jobs import cli
from jobs.errors import Refused

WINDOW, BATCH = 65, 16
RIVAL_ROWS = 100_000
SPARE = 10e9  # bytes of the disk to leave free


def main(
    steps: int = 1_000_000,
    envs: int = 8,
    size: str = "size1m",
    repeats: int = 200,
    folder: Path | None = None,
):
    """Print rates, times and memory as one JSON line; all files are removed afterwards."""
    tree = options.resolve([size])
    agent, seen = family.load(tree["agent"]), crafter()
    kinds = replay.kinds(seen, agent.layers(tree, seen))
    bytes_per_row = sum(kind.itemsize for kind in kinds)
    work = Path(tempfile.mkdtemp(prefix="replay.", dir=folder))
    room = int((shutil.disk_usage(work).free - SPARE) / bytes_per_row)
    beside = min(RIVAL_ROWS, steps)
    if room - beside < 2 * envs * WINDOW:
        raise Refused(f"{work.parent} has too little space left; name another place by --folder")
    found = {"asked": steps, "steps": min(steps, room - beside) // envs * envs}
    found |= {"envs": envs, "size": size, "bytes_per_row": bytes_per_row}
    try:
        found |= ours(work, kinds, envs, found["steps"], repeats)
        found |= rivals(work, kinds, envs, beside, repeats, found["sample_cpu_ms"])
    finally:
        shutil.rmtree(work)
    print(json.dumps(found))


def ours(work, kinds, envs, steps, repeats):
    """Fill, sample, write back, save and restore."""
    tree = options.resolve((), {"replay.size": steps, "replay.online": False})
    store = replay.Replay(work / "live", *kinds, envs, WINDOW, tree["replay"])
    rows, warm = [random_row(kinds, envs, seed) for seed in range(8)], steps // envs // 10
    insert(store, rows, warm)
    before = memory()
    spent, count = time.process_time(), steps // envs - warm
    seconds = insert(store, rows, count)
    spent = time.process_time() - spent
    found = {
        "insert_rows_per_second": round(count * envs / seconds),
        "insert_rows_per_cpu_second": round(count * envs / spent),
        "rss_growth_mb": round((memory() - before) / 1e6, 1),
        "files": sum(len(list(store.folder.iterdir())) for store in (store.rows, store.latents)),
    }
    found |= use(store, kinds, work, repeats)
    return found | {"rss_growth_with_use_mb": round((memory() - before) / 1e6, 1)}


def use(store, kinds, work, repeats):
    """Times of sampling among recent and among all rows, of updates' beliefs, of saves."""
    rng, fresh = np.random.default_rng(0), beliefs(kinds)
    newest = store.end - min(store.end, RIVAL_ROWS // store.envs)
    store.sampler.keep(newest, store.end)
    found = percentiles("sample", lambda: store.sample(rng, BATCH), repeats)
    store.sampler.keep(store.oldest, store.end)
    found |= percentiles("sample_anywhere", lambda: store.sample(rng, BATCH), repeats)
    start = time.perf_counter()
    saved = save(store, work / "save0")
    found["first_save_seconds"] = round(time.perf_counter() - start, 3)

    def write_back():
        store.write_back(store.sampler.draw(rng, BATCH), fresh)

    found |= percentiles("write_back_with_undo", write_back, repeats)
    start = time.perf_counter()
    saved = save(store, work / "save1")
    found["save_seconds"] = round(time.perf_counter() - start, 3)
    found |= percentiles("write_back", write_back, repeats)
    start = time.perf_counter()
    store.restore(work / "save1", *saved, [])
    return found | {"restore_seconds": round(time.perf_counter() - start, 3)}


def rivals(work, kinds, envs, rows, repeats, ours_ms):
    """Sampling from a ring in RAM and from memory-mapped files; ratios of processor time."""
    length, found = rows // envs, {}
    columns = [key for kind in kinds for key in kind.names]
    for name in ("numpy_ring", "memmap"):
        ring = {key: _array(name, work, key, kinds, (length, envs)) for key in columns}
        row, start = random_row(kinds, envs, 0), time.perf_counter()
        for step in range(length):
            for key, array in ring.items():
                array[step] = row[key]
        rate = length * envs / (time.perf_counter() - start)
        found[f"{name}_insert_rows_per_second"] = round(rate)
        rng = np.random.default_rng(0)
        found |= percentiles(name, lambda ring=ring, rng=rng: gather(ring, rng), repeats)
        found[f"sample_over_{name}"] = round(ours_ms / found[f"{name}_cpu_ms"], 2)
    return found


def gather(ring, rng):
    """A batch as fancy indexing over [time, env] gives it."""
    length, envs = ring["reward"].shape
    times = rng.integers(length - WINDOW + 1, size=BATCH)[:, None] + np.arange(WINDOW)
    place = times, rng.integers(envs, size=BATCH)[:, None]
    return {key: array[place] for key, array in ring.items() if not key.startswith("dyn/")} | {
        key: array[place[0][:, :1], place[1]] for key, array in ring.items() if key[:4] == "dyn/"
    }


def _array(name, work, key, kinds, lead):
    kind = next(kind[key] for kind in kinds if key in kind.names)
    shape = (*lead, *kind.shape)
    if name == "numpy_ring":
        return np.zeros(shape, kind.base)
    return np.memmap(work / key.replace("/", "_"), kind.base, "w+", shape=shape)


def random_row(kinds, envs, seed):
    """A row of noise of every environment."""
    rng, row = np.random.default_rng(seed), {}
    for kind in kinds:
        for name in kind.names:
            shape = (envs, *kind[name].shape)
            row[name] = rng.integers(0, 2, shape).astype(kind[name].base)
    row["image"] = rng.integers(0, 256, row["image"].shape, np.uint8)
    return row


def beliefs(kinds):
    """What an update returns for `write_back`."""
    rng = np.random.default_rng(0)
    shape = (BATCH, WINDOW - 1)
    return {
        name: rng.normal(size=(*shape, *kinds[1][name].shape)).astype(np.float32)
        for name in kinds[1].names
    }


def insert(store, rows, count):
    """Seconds that `count` inserts take."""
    start = time.perf_counter()
    for step in range(count):
        store.add(rows[step % len(rows)])
    return time.perf_counter() - start


def save(store, folder):
    """What `dreamer.state.Store` does with the replay."""
    folder.mkdir()
    saved = store.save(folder)
    store.protect(folder)
    return saved


def percentiles(name, action, repeats):
    """Median and 95th percentile of an action's milliseconds; processor time; MB from the disk."""
    seconds, spent, read = [], time.process_time(), disk_reads()
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        seconds.append(1000 * (time.perf_counter() - start))
    return {
        f"{name}_ms": round(statistics.median(seconds), 3),
        f"{name}_p95_ms": round(float(np.percentile(seconds, 95)), 3),
        f"{name}_cpu_ms": round(1000 * (time.process_time() - spent) / repeats, 3),
        f"{name}_disk_mb": round((disk_reads() - read) / 1e6 / repeats, 3),
    }


def disk_reads():
    """Bytes that this process had to read from a disk so far, and not from the page cache."""
    with open("/proc/self/io") as file:
        lines = dict(line.split(": ") for line in file.read().splitlines())
    return int(lines["read_bytes"])


def memory():
    """Resident bytes of this process now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    cli.run(main)
