"""Read pickles of other projects without running anything in them.

A pickle is a program that may call any function of Python. Here its instructions are checked one by
one before it runs, and the only things that it can name are makers (`dreamer.pickle_makers`): they
build numpy arrays, numpy scalars and Python's own containers from checked values. Keys are plain,
so that none of them takes longer to hash than it is long.
"""

import os
import pickle
import pickletools
import re

from dreamer.pickle_makers import MAKERS, Array, Kind, Maker
from dreamer.plain import keys
from jobs.errors import Refused

FORBIDDEN = re.compile(r"EXT\d|(BIN)?PERSID|INST|OBJ|NEWOBJ(_EX)?|NEXT_BUFFER|READONLY_BUFFER")
WHOLE = ("INT", "LONG", "LONG1", "LONG4")
COPIES = 4  # bytes that it may make of each byte of the file
FAULTS = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, OverflowError, MemoryError, RecursionError, UnicodeDecodeError),
)


def load(path):
    """What the pickle file `path` holds: numbers, texts, containers, numpy arrays and scalars.

    Anything else in it is refused by name, as are cut off files and those larger than memory.
    """
    size, memory = os.stat(path).st_size, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory:
        raise Refused(
            f"{path} has {size / 2**30:,.0f} GB, more than the {memory / 2**30:,.0f} GB of memory "
            "here, so it cannot be a file to read as a whole; give it a larger machine"
        )
    try:
        with open(path, "rb") as file:
            _check(file, size, path)
            file.seek(0)
            return _Unpickler(file, path, size).load()
    except FAULTS as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise Refused(
            f"{path} is cut off or no pickle of plain data ({words}); copy it again"
        ) from None


def _check(file, size, path):
    """Refuse instructions that have no business in data, before any of them runs."""
    for code, value, _ in pickletools.genops(file):
        if FORBIDDEN.fullmatch(code.name):
            raise Refused(
                f"{path} holds the pickle instruction {code.name}, which plain data never needs; "
                "it was not read, because it could run code"
            )
        if code.name in ("PUT", "LONG_BINPUT", "FRAME") and value > size:
            raise ValueError(f"{code.name} {value} points beyond its {size} bytes")
        if code.name in WHOLE and value.bit_length() > 64:
            raise ValueError(f"it holds a whole number of {value.bit_length()} bits, more than 64")


class _Unpickler(pickle._Unpickler):
    """Python's unpickler, as it is written in Python, with stricter instructions.

    Every name but the makers' is unknown to it, only what they made can be given a state, and keys
    of dictionaries and items of sets are checked before they are hashed.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file, path, size):
        super().__init__(file)
        self.path, self.left = path, COPIES * size + 2**20

    def find_class(self, module, name):
        """The maker that stands for a name; called for every name in the pickle."""
        found = MAKERS.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise Refused(
                f"{self.path} asks for {module}.{name}, but only numpy arrays and Python's own "
                "containers are read from pickles; it was not read, because it could run code"
            )
        return found

    def spend(self, value):
        """Count the bytes of a new value."""
        sized = isinstance(value, bytes | bytearray)
        self.left -= len(value) if sized else getattr(value, "nbytes", 0)
        if self.left < 0:
            raise ValueError(f"it makes more than {COPIES} copies of its content")


def _reduce(unpickler):
    pickle._Unpickler.load_reduce(unpickler)
    unpickler.spend(unpickler.stack[-1])


def _build(unpickler):
    made = unpickler.stack[-2]
    if not isinstance(made, Maker | Kind | Array):
        raise TypeError(f"it gives a state to a {type(made).__name__}")
    pickle._Unpickler.load_build(unpickler)
    unpickler.spend(made)


def _setitem(unpickler):
    value, key = unpickler.stack.pop(), unpickler.stack.pop()
    _update(unpickler.stack[-1], [key, value])


def _setitems(unpickler):
    items = unpickler.pop_mark()
    _update(unpickler.stack[-1], items)


def _dict(unpickler):
    items = unpickler.pop_mark()
    unpickler.append(_update({}, items))


def _additems(unpickler):
    items = unpickler.pop_mark()
    if type(unpickler.stack[-1]) is not set:
        raise TypeError("it adds items to what is no set")
    unpickler.stack[-1].update(keys(items))


def _frozenset(unpickler):
    items = unpickler.pop_mark()
    unpickler.append(frozenset(keys(items)))


def _update(found, items):
    """The dictionary `found` with [key, value, key, value ...] on top."""
    if type(found) is not dict:
        raise TypeError("it sets items of what is no dictionary")
    found.update(zip(keys(items[::2]), items[1::2], strict=True))
    return found


_Unpickler.dispatch |= {
    **{pickle.REDUCE[0]: _reduce, pickle.BUILD[0]: _build, pickle.DICT[0]: _dict},
    **{pickle.SETITEM[0]: _setitem, pickle.SETITEMS[0]: _setitems},
    **{pickle.ADDITEMS[0]: _additems, pickle.FROZENSET[0]: _frozenset},
}
