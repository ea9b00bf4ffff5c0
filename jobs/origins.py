"""What the hashes in specs stand for: which source files, and which versions of packages.

Kept beside the specs, so that a later look can name what has changed since a result was made.
"""

import re
from functools import cache
from pathlib import Path

from jobs import closure, files
from jobs.errors import Refused

KINDS = ("code", "lock")  # hashes that a spec holds under these names
LENGTH = 16  # hex digits of a hash in a file's name


def keep(folder, code, locks):
    """Write a table for each hash in `code` {"module+module": hash} and `locks` {name: hash}."""
    for names, digest in code.items():
        _once(place(folder, "code", digest), lambda names=names: sources(*names.split("+")))
    for name, digest in locks.items():
        _once(place(folder, "lock", digest), lambda name=name: packages(name))


def place(folder, kind, digest):
    """Where the table of a hash lies: results/specs/code.<first digits>.json."""
    return Path(folder) / f"{kind}.{digest[:LENGTH]}.json"


@cache
def read(folder, kind, digest):
    """The table of a hash, or None where none was kept."""
    try:
        return files.read_json(place(folder, kind, digest))
    except Refused:
        return None


@cache
def sources(*modules):
    """{path in the project: hash of what it means} of the closure of `modules` on disk."""
    found = closure.sources(*modules)
    return {
        str(path.relative_to(closure.ROOT) if path.is_relative_to(closure.ROOT) else path): (
            closure.file_digest(path)
        )
        for path in found
    }


@cache
def locked(digest):
    """{package: version} of the lock on disk that has this hash, or None."""
    for path in sorted((closure.ROOT / "envs").glob("*.lock.txt")):
        if files.sha256(path) == digest:
            return packages(path.name.removesuffix(".lock.txt"))
    return None


def packages(lock):
    """{package: version} of an environment's lock."""
    text = (closure.ROOT / f"envs/{lock}.lock.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))


def _once(path, table):
    if not path.exists():
        files.write_json(path, table())
