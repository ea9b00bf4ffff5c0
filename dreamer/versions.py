"""Versions of the software that decides numbers."""

import importlib.metadata
import platform


def of(*packages):
    """{package: version} of the packages and of Python."""
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version(), **found}
