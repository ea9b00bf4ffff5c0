"""Packages that only some environments need, and how to say that one is missing."""

import contextlib
import importlib
import io
import warnings

from jobs.errors import Refused

BY_HAND = ("dmlab", "minecraft")  # no package installs them everywhere


def load(module, family):
    """Import a module of the packages that `make env-<family>` installs, or say so.

    What old packages say of themselves when they are imported is not shown.
    """
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        raise missing(family, error) from None


def missing(family, error):
    """The refusal of an environment whose packages are not installed."""
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    way = "docs/environments.md says how" if family in BY_HAND else f"run: make env-{family}"
    return Refused(f"the environments of '{family}' are not installed ({reason}); {way}")
