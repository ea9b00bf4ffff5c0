"""How commands about the workflow end when something is wrong: one sentence, exit code 2."""

import sys
from contextlib import contextmanager

from jobs.errors import Refused


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
        if isinstance(error, OSError) and not error.filename:
            raise
        refuse(error)
