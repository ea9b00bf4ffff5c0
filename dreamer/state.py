"""Everything a stopped training needs to continue, in folders that are whole or absent.

`<folder>/<hash of options and code>/<step>/` holds one save; the two newest are kept. Beside the
saves lie the replay and the logs, which go on growing, and the snapshots that wait for the end.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np

from dreamer import checkpoint, contents, options, undo
from jobs import files
from jobs.errors import Refused

IMMATERIAL = r"run\.(steps|platform|log_every)|" + "|".join(map(re.escape, options.CADENCE))
KEEP = 2


def identity(resolved, code):
    """What a state belongs to: the options that shape a training, and the hash of its code."""
    flat = options.flatten(resolved)
    flat = {name: flat[name] for name in flat if not re.fullmatch(IMMATERIAL, name)}
    start = flat["run.from_checkpoint"]
    return {"options": flat, "code": code, "start": files.sha256(start) if start else None}


@contextmanager
def locked(folder, say):
    """Hold the lock of a state folder; a second trainer waits here until the first has left."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another training works in {folder}; waiting until it ends")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Store:
    """The saves of one training (`identity`) inside `folder`."""

    def __init__(self, folder, identity):
        name = hashlib.sha256(files.canonical(identity).encode()).hexdigest()[:16]
        self.folder, self.identity = Path(folder, name), identity
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in (*self.folder.glob(".*"), *self.folder.parent.glob(".*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        files.write_json(self.folder / "identity.json", identity)
        self._whole, self._damaged = self._examine()

    def others(self):
        """Saves of other options or code, and what differs; none once there are some of these."""
        found = []
        if self.saves():
            return found
        for path in sorted(self.folder.parent.glob("*/identity.json")):
            theirs = files.read_json(path)
            if path.parent != self.folder and list(path.parent.glob("[0-9]*/")):
                found.append((path.parent, _differences(theirs, self.identity)))
        return found

    def saves(self):
        """Folders of all saves, newest first."""
        return sorted(self.folder.glob("[0-9]*/"), reverse=True)

    def newest(self):
        """Step of the save that `restore` takes; 0 without one."""
        return int(self._whole.name) if self._whole else 0

    def save(self, step, facts, arrays, replay):
        """Publish a save at once, then drop all but the newest two.

        On return it is safe on the disk. Arrays of the agent that are not finite are refused.
        """
        target = self.folder / f"{step:012d}"
        if target in self.saves():
            return
        _check_finite(step, arrays)
        folder = self.folder / f".{target.name}"
        with files.writing(target):
            try:
                self._write(folder, facts, arrays, replay)
                os.rename(folder, target)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)  # a full disk needs the room
                raise
            files.sync(self.folder)
            replay.protect(target)
        self._whole = target
        for old in self.saves()[KEEP:]:
            _remove(old)

    def restore(self, replay):
        """(facts, arrays) of the newest whole save, with the replay as it was; None without one.

        Damaged saves are skipped and removed. What they hold of overwritten rows is needed to go
        back to an older one.
        """
        whole = self._whole
        if whole:
            facts, arrays = checkpoint.arrays(whole / contents.STATE)
            sampler = {key[8:]: arrays.pop(key) for key in list(arrays) if key[:8] == "sampler/"}
            replay.restore(whole, facts["replay"], sampler, self._damaged)
        for folder in self._damaged:
            _remove(folder)
        self._damaged = []
        if whole:
            replay.protect(whole)
        return (facts, arrays) if whole else None

    def remove(self):
        """Remove everything, once the results are published."""
        _remove(self.folder)

    def _examine(self):
        """(newest save that can be returned to or None, newer ones that cannot)."""
        damaged = []
        for folder in self.saves():
            problem = contents.problem(folder) or undo.problem([*damaged, folder])
            if not problem:
                return folder, damaged
            warnings.warn(f"{problem}; this save is not used", stacklevel=3)
            damaged.append(folder)
        return None, damaged

    def _write(self, folder, facts, arrays, replay):
        folder.mkdir()
        memory, priorities = replay.save(folder)
        facts = {**facts, "replay": memory}
        arrays = {**arrays, **{f"sampler/{name}": item for name, item in priorities.items()}}
        checkpoint.write(folder / contents.STATE, arrays, files.canonical(facts))
        files.sync(folder / contents.STATE)
        contents.write(folder)


def arrays(prefix, tree):
    """{prefix + path: numpy array} of a pytree."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(tree))
    return {prefix + jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def tree(prefix, like, arrays):
    """The pytree that was flattened into `arrays`, in the structure of `like`."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: jax.numpy.asarray(arrays[prefix + jax.tree_util.keystr(path)]), like
    )


def _check_finite(step, arrays):
    for name, array in arrays.items():
        real = jax.numpy.issubdtype(array.dtype, jax.numpy.floating)
        if name.startswith("agent") and real and not np.isfinite(array).all():
            raise Refused(
                f"{name.removeprefix('agent')} holds numbers that are not finite at environment "
                f"step {step}; the last saved state is kept; lower opt.lr and train anew"
            )


def _remove(folder):
    hidden = folder.with_name(f".{folder.name}")
    os.rename(folder, hidden)
    shutil.rmtree(hidden)


def _differences(theirs, ours):
    old, new = theirs["options"], ours["options"]
    names = [name for name in sorted(set(old) | set(new)) if old.get(name) != new.get(name)]
    changed = [
        f"{name} {json.dumps(old.get(name))} -> {json.dumps(new.get(name))}" for name in names
    ]
    old, new = theirs.get("versions", {}), ours.get("versions", {})
    changed += [
        f"{name} {old.get(name)} -> {new[name]}" for name in new if old.get(name) != new[name]
    ]
    others = {"code": "the code", "start": "the weights to start from"}
    return changed + [text for key, text in others.items() if theirs[key] != ours[key]]
