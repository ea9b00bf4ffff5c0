"""Values from files of strangers, checked by type before numpy or a message looks into them.

A list may hold itself or one list many times, so that a few bytes stand for more numbers than fit
into any memory; neither `repr` nor numpy is given such a list.
"""

import reprlib

import numpy as np

WORDS = 60  # characters of a value in a message
DEPTH = 64  # dimensions of an array of numpy
NESTED = 4  # lists in lists
NUMBER = 2**63 - 1
ITEM = 64  # bytes, about, of one of Python's numbers
MEMORY = 2**30  # bytes that lists may take
KEYS = (str, int, float, bool, bytes, type(None), np.number, np.bool_)


def brief(value):
    """A value in a message: short, and made without reading all of it."""
    found = reprlib.repr(value)
    return found if len(found) <= WORDS else found[: WORDS - 3] + "..."


def keys(found):
    """`found` as a list after making sure that each item may be a key: a plain number or text."""
    found = list(found)
    for key in found:
        if not isinstance(key, KEYS):
            raise TypeError(f"it has a {type(key).__name__} where a key has to be a number or text")
    return found


def whole(value, most=NUMBER):
    """`value` as an int if it is a whole number from 0 to `most`, else None."""
    right = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return int(value) if right and 0 <= value <= most else None


def array(value):
    """An array, a number, or lists of either up to 4 deep, as a numeric array; else ValueError.

    The error's text continues a sentence that begins with the name of the value.
    """
    if isinstance(value, list | tuple):
        if _size(value, NESTED) > MEMORY:
            raise ValueError("with more numbers in lists than can be read; save it as an array")
        try:
            value = np.array(value)
        except ValueError:
            raise ValueError("whose steps differ in shape") from None
    elif not isinstance(value, np.ndarray):
        value = np.array(value if isinstance(value, int | float | np.number | np.bool_) else "")
    if value.dtype.kind not in "biuf":
        raise ValueError("that is no array of numbers")
    return np.asarray(value)


def _size(items, depth):
    """Bytes, about, of nested lists, counted until there are too many."""
    if {int, float, bool}.issuperset(map(type, items)):
        return ITEM * len(items)
    total = 0
    for item in items:
        total += ITEM
        if isinstance(item, list | tuple):
            total += _size(item, depth - 1) if depth > 1 else MEMORY
        elif isinstance(item, np.ndarray | np.generic):
            total += item.nbytes
        elif not isinstance(item, int | float):
            raise ValueError("that is no array of numbers")
        if total > MEMORY:
            break
    return total
