"""The only things that a pickle may call: they build plain arrays, numbers and containers.

Each checks its arguments before numpy sees them (`dreamer.pickles` reads the instructions).
"""

import math
import re

import numpy as np

from dreamer.plain import DEPTH, NUMBER, brief, keys

CODE = re.compile(r"(\?|b1|[biufc]\d{1,2}|[SU]\d{1,6})")


class Maker:
    """A function that a pickle may call but cannot change."""

    __slots__ = ("make",)

    def __init__(self, make):
        self.make = make

    def __call__(self, *arguments):
        return self.make(*arguments)

    def __setstate__(self, _):
        raise TypeError("it tries to change a function")


class Kind:
    """A plain number or text type on its way from the pickle, never numpy's own object."""

    def __init__(self, code):
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise TypeError(f"arrays of the type {brief(code)} are not plain numbers or text")
        self.type = np.dtype(code)

    def __setstate__(self, state):
        _, order, subarray, names, fields, *_ = state
        if (subarray, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise TypeError("its arrays have a compound type")
        self.type = self.type.newbyteorder(order)


class Array(np.ndarray):
    """An array whose content the pickle gives after making it."""

    def __setstate__(self, state):
        _, shape, kind, fortran, data = state
        super().__setstate__((1, *_checked(shape, kind, data), bool(fortran), bytes(data)))


def _checked(shape, kind, data):
    """(shape, numpy type) after making sure that `data` holds as many bytes as they need."""
    if not isinstance(kind, Kind) or not isinstance(data, bytes | bytearray):
        raise TypeError("its arrays are not plain numbers or text")
    sides = shape if isinstance(shape, tuple) and len(shape) <= DEPTH else (None,)
    if not all(type(side) is int and 0 <= side <= NUMBER for side in sides):
        raise TypeError(f"an array has the shape {brief(shape)}")
    if math.prod(shape) * kind.type.itemsize != len(data):
        raise ValueError(f"an array of shape {list(shape)} has {len(data)} bytes")
    return shape, kind.type


def _kind(code, *_):
    return Kind(code)


def _array(*_):
    return np.ndarray.__new__(Array, (0,), np.int8)


def _from_buffer(data, kind, shape, order):
    shape, kind = _checked(shape, kind, data)
    return np.frombuffer(data, kind).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind, data):
    shape, kind = _checked((), kind, data)
    return np.frombuffer(data, kind)[0]


def _encode(text, encoding):
    """How old pickles hold bytes: as text of the same numbers."""
    if encoding not in ("latin1", "latin-1", "ascii"):
        raise TypeError(f"it decodes by {brief(encoding)}")
    return text.encode("latin1")


def _bytes(text="", encoding="latin1"):
    return text if isinstance(text, bytes) else _encode(text, encoding)


def _bytearray(*arguments):
    return bytearray(_bytes(*arguments))


def _set(items=()):
    return set(keys(items))


def _frozenset(items=()):
    return frozenset(keys(items))


def _unusual(*_):
    raise TypeError("it makes an array in an unusual way")


_builtins = {
    **{"set": _set, "frozenset": _frozenset, "complex": complex},
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
MAKERS = {name: Maker(make) for name, make in _names.items()}
