"""The spec of a job: one canonical-JSON file that says everything its result depends on.

It holds the job's options, the hash of its code closure, the hash of its environment's lock and
the Python minor version. Its name carries its content, so a spec is written once and never changed.
"""

import hashlib
import sys
from pathlib import Path

from jobs import closure, files
from jobs.errors import Refused

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def build(run, seed, rule, options, modules, code, lock):
    """The spec of `rule` for one run and seed; `code` is the hash of the closure of `modules`.

    A rule over all seeds has no seed, one over all runs no run either.
    """
    place = [run] if run else []
    place += [f"seed{seed}"] if seed is not None else []
    return {
        "job": ".".join([*place, rule]),
        "rule": rule,
        "run": run,
        "seed": seed,
        "options": options,
        "modules": sorted(modules),
        "code": code,
        "lock": lock,
        "python": PYTHON,
    }


def path(folder, spec):
    """Where a spec lies: results/specs/<job>.<first 8 hex digits of its hash>.json."""
    return Path(folder) / f"{spec['job']}.{name(spec)}.json"


def name(spec):
    """First 8 hex digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(files.canonical(spec).encode()).hexdigest()[:8]


def read(file):
    """Read a spec; refuse when the code on disk is not the code the job was planned with."""
    spec = files.read_json(file)
    missing = {"job", "options", "modules", "code"} - set(spec)
    if missing:
        raise Refused(f"{file} is not a job's spec: it lacks {', '.join(sorted(missing))}")
    code = closure.digest(*spec["modules"])
    if code != spec["code"]:
        raise Refused(
            f"the code of {', '.join(spec['modules'])} changed since {spec['job']} was planned "
            f"(planned {spec['code'][:12]}, on disk {code[:12]}); start snakemake again"
        )
    return spec
