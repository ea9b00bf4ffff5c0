"""Packages that only some environments need, and how to say that one is missing."""

import importlib

from jobs.errors import Refused


def load(module, family):
    """Import a module of the packages that `make env-<family>` installs, or say so."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(family, error) from None


def missing(family, error):
    """The refusal of an environment whose packages are not installed."""
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return Refused(
        f"the environments of '{family}' are not installed ({reason}); run: make env-{family}"
    )
