"""The process of Snakemake and of commands about it: what jobs inherit, and how it ends.

When something is wrong it ends with one sentence and exit code 2.
"""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

from jobs import closure
from jobs.errors import Refused


def prepare():
    """Jobs find this Python first, and share compiled programs."""
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(closure.ROOT / ".cache/jax"))


def refuse(error):
    """Say why nothing can be done, and leave."""
    print(f"error: {sentence(error)}", file=sys.stderr)
    sys.exit(2)


def sentence(error):
    """What to tell of an error: which file cannot be used, or its own words."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}"
    return str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"


@contextmanager
def told():
    """Within, what is refused, and files that cannot be used, end the program with a sentence."""
    try:
        yield
    except (Refused, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        refuse(error)
