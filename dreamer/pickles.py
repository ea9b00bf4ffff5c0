"""Read pickles of other projects without running anything in them.

A pickle is a program that may call any function of Python. Here its instructions are checked one by
one before it runs, and the only things that it can name are the makers below, which build numpy
arrays, numpy scalars and Python's own containers from checked values.
"""

import math
import os
import pickle
import pickletools
import re

import numpy as np

from jobs.errors import Refused

FORBIDDEN = re.compile(r"EXT\d|(BIN)?PERSID|INST|OBJ|NEWOBJ(_EX)?|NEXT_BUFFER|READONLY_BUFFER")
CODE = re.compile(r"(\?|b1|[biufc]\d{1,2}|[SU]\d{1,6})")
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
            return _Unpickler(file, path).load()
    except FAULTS as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise Refused(f"{path} is cut off or not a pickle ({words}); copy it again") from None


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


class _Unpickler(pickle.Unpickler):
    """An unpickler to whom every name but the makers' is unknown."""

    def __init__(self, file, path):
        super().__init__(file)
        self.path = path

    def find_class(self, module, name):
        """The maker that stands for a name; called for every name in the pickle."""
        found = MAKERS.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise Refused(
                f"{self.path} asks for {module}.{name}, but only numpy arrays and Python's own "
                "containers are read from pickles; it was not read, because it could run code"
            )
        return found


class _Maker:
    """A function that a pickle may call but cannot change."""

    __slots__ = ("make",)

    def __init__(self, make):
        self.make = make

    def __call__(self, *arguments):
        return self.make(*arguments)

    def __setstate__(self, _):
        raise TypeError("it tries to change a function")


class _Kind:
    """A plain number or text type on its way from the pickle, never numpy's own object."""

    def __init__(self, code):
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise TypeError(f"arrays of the type {code!r:.60} are not plain numbers or text")
        self.type = np.dtype(code)

    def __setstate__(self, state):
        _, order, subarray, names, fields, *_ = state
        if (subarray, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise TypeError("its arrays have a compound type")
        self.type = self.type.newbyteorder(order)


class _Array(np.ndarray):
    """An array whose content the pickle gives after making it."""

    def __setstate__(self, state):
        _, shape, kind, fortran, data = state
        super().__setstate__((1, *_checked(shape, kind, data), bool(fortran), bytes(data)))


def _checked(shape, kind, data):
    """(shape, numpy type) after making sure that `data` holds as many bytes as they need."""
    if not isinstance(kind, _Kind) or not isinstance(data, bytes | bytearray):
        raise TypeError("its arrays are not plain numbers or text")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise TypeError(f"an array has the shape {shape!r:.60}")
    if math.prod(shape) * kind.type.itemsize != len(data):
        raise ValueError(f"an array of shape {list(shape)} has {len(data)} bytes")
    return tuple(shape), kind.type


def _kind(code, *_):
    return _Kind(code)


def _array(*_):
    return np.ndarray.__new__(_Array, (0,), np.int8)


def _from_buffer(data, kind, shape, order):
    shape, kind = _checked(shape, kind, data)
    return np.frombuffer(data, kind).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind, data):
    shape, kind = _checked((), kind, data)
    return np.frombuffer(data, kind)[0]


def _encode(text, encoding):
    """How old pickles hold bytes: as text of the same numbers."""
    if encoding not in ("latin1", "latin-1", "ascii"):
        raise TypeError(f"it decodes by {encoding!r:.40}")
    return text.encode("latin1")


def _bytes(text="", encoding="latin1"):
    return text if isinstance(text, bytes) else _encode(text, encoding)


def _bytearray(*arguments):
    return bytearray(_bytes(*arguments))


def _unusual(*_):
    raise TypeError("it makes an array in an unusual way")


_builtins = {
    **{kind.__name__: kind for kind in (set, frozenset, complex)},
    **{"bytes": _bytes, "bytearray": _bytearray},
}
_names = {
    ("numpy", "dtype"): _kind,
    ("numpy", "ndarray"): _unusual,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
    **{
        (module, name): _builtins[name]
        for module in ("builtins", "__builtin__")
        for name in _builtins
    },
}
MAKERS = {name: _Maker(make) for name, make in _names.items()}
