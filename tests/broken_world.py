"""A world of a user whose packages are missing."""

import no_such_package  # noqa: F401
