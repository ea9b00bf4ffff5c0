"""Batched steps become episodes, and finished episodes become part files that survive a kill.

Environment i of N plays episodes i, i + N, i + 2N, ...; which episodes are recorded is fixed before
the first step, so a recording is no sample of the short ones. U is recorded units, T steps.
"""

import collections
import hashlib
import re
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dreamer import observed, png, trajectory
from dreamer.columns import observation
from jobs import files

PLAIN = ("action", "reward", "is_first", "is_last", "is_terminal")
FACTS = ("position", "facing", "vitals", "achievements", "terrain", "terrain_changed")
UNITS = {name: notes["unit"] for name, (_, notes) in trajectory.STEP.items() if "unit" in notes}


def units(layer, cap):
    """Sorted indices [U] of the units recorded of a family.Layer, or None for all.

    The random subset depends on the layer's name, width and the cap alone, so recordings of other
    checkpoints (an untrained network's too) hold the same units. Beliefs and dyn/* are never
    capped: dreams start from them.
    """
    if layer.belief or layer.name.startswith("dyn/") or layer.width <= cap:
        return None
    rng = np.random.default_rng([zlib.crc32(layer.name.encode()), layer.width, cap])
    return sorted(rng.choice(layer.width, cap, replace=False).tolist())


def kept(values, layer):
    """The recorded units [B, U] of activations [B, units] in their dtype; `layer` of a header."""
    found = values if layer["units"] is None else values[:, np.array(layer["units"])]
    return found.astype(layer["dtype"])


def split(row, count, header):
    """The wanted values of a driver's row as [{name: value}], one for each of `count` environments.

    They are copies, so that a step kept for a long episode does not keep the others' steps.
    """
    info = row["info"]
    names = {*PLAIN, *header["layers"], "image"} - set(header["absent"])
    plain = {name: row[name] for name in names if name in row}
    plain |= {observation(name): row[name] for name in header.get("observations", ())}
    some = {name: info[name] for name in FACTS if name in info}
    return [
        {name: np.array(values[env]) for name, values in plain.items()}
        | {name: np.array(values[env]) for name, values in some.items() if info[f"_{name}"][env]}
        for env in range(count)
    ]


class Parts:
    """The episodes of one recording as files in a folder that the header's hash names."""

    def __init__(self, work, header, episodes, salt=""):
        self.header, self.episodes = header, episodes
        text = files.canonical([trajectory.VERSION, header, salt])
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.folder = Path(work) / f"parts-{digest[:16]}"

    def path(self, episode):
        """Where the part file of an episode lies."""
        return self.folder / f"{episode:06d}.parquet"

    def missing(self):
        """Episodes that are not recorded yet."""
        return [item for item in range(self.episodes) if not self.path(item).is_file()]

    def save(self, episode, rows):
        """Write the steps of a finished episode, [{name: value}]."""
        self.write(episode, episode_columns(self.header, episode, rows))

    def write(self, episode, columns):
        """Write a finished episode, {column: values}."""
        trajectory.write(self.path(episode), self.header, [columns])

    def paths(self):
        """All part files in order."""
        return [self.path(item) for item in range(self.episodes)]

    def publish(self, path, kept=None):
        """Join the parts into the recording: all, or those `kept`, beside how many were played."""
        kept = self.paths() if kept is None else kept
        fewer = {} if len(kept) == self.episodes else {"played": self.episodes}
        trajectory.join(path, self.header | fewer, kept)


class Collector:
    """The running episodes of N environments; a finished one is written by a second thread."""

    def __init__(self, parts, envs):
        self.parts, self.count = parts, envs
        self.missing = set(parts.missing())
        self.rows = [[] for _ in range(envs)]
        self.resets = [self._start(env) for env in range(envs)]
        self.writing = collections.deque()
        self.thread = ThreadPoolExecutor(1)

    def _start(self, env):
        missing = [item for item in sorted(self.missing) if item % self.count == env]
        return (missing[0] if missing else self.parts.episodes) // self.count

    def add(self, rows):
        """Take one row of every environment: [{name: value}], N of them."""
        for env, row in enumerate(rows):
            episode = env + self.count * self.resets[env]
            if episode in self.missing:
                self.rows[env].append(row)
            if row["is_last"]:
                self._finish(env, episode)

    def _finish(self, env, episode):
        rows, self.rows[env] = self.rows[env], []
        self.resets[env] += 1
        if episode in self.missing:
            self.missing.remove(episode)
            self.writing.append(self.thread.submit(self.parts.save, episode, rows))
        while len(self.writing) > self.count or (self.writing and self.writing[0].done()):
            self.writing.popleft().result()

    def close(self):
        """Wait for the files being written."""
        self.thread.shutdown()
        while self.writing:
            self.writing.popleft().result()


def episode_columns(header, episode, rows):
    """{column: values} of an episode of T steps, as `trajectory.write` takes them."""
    names = [name for name in rows[0] if not name.startswith("terrain")]
    stack = {name: np.stack([row[name] for row in rows]) for name in names}
    found = {"episode": np.full(len(rows), episode), "step": np.arange(len(rows))}
    found |= {name: stack[name] for name in (*PLAIN, *header["layers"])}
    if "position" in stack:
        found["x"], found["y"] = stack["position"].T
    if "facing" in stack:
        found["facing"] = np.array(trajectory.FACINGS)[stack["facing"]]
    if "vitals" in stack:
        found |= dict(zip(trajectory.VITALS, stack["vitals"].T, strict=True))
    counts = stack.get("achievements", np.zeros((len(rows), 0))).T
    labels = [f"achievement_{name}" for name in header["achievements"]]
    found |= dict(zip(labels, counts, strict=True))
    if "image" in stack:
        found["image"] = [png.encode(image) for image in stack["image"]]
    for name, about in header.get("observations", {}).items():
        found[observation(name)] = observed.encoded(about, stack[observation(name)])
    blank = [None] * (len(rows) - 1)
    for name, row in (("terrain", rows[0]), ("terrain_changed", rows[-1])):
        if name in row:
            found[name] = [row[name].astype(np.uint8).ravel(), *blank]
    return found


def remove(work):
    """Remove the part folders in `work` and, if nothing else is left there, `work` itself."""
    for folder in Path(work).glob("parts-*"):
        if re.fullmatch(r"parts-[0-9a-f]{16}", folder.name):
            shutil.rmtree(folder)
    if Path(work).is_dir() and not any(Path(work).iterdir()):
        Path(work).rmdir()
