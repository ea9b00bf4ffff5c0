"""The one way a command says no."""


class Refused(Exception):
    """A request that cannot be met. The message is one sentence: what, where, and the fix.

    Commands print it and exit with code 2 before anything is written.
    """
