"""Pickles of strangers are data: what is plain is read, what could run code never runs."""

import builtins
import collections
import copyreg
import functools
import operator
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dreamer import pickles
from jobs.errors import Refused

ROOT = Path(__file__).parent.parent
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
PLAIN = [
    {"a": [1, 2.5, None, True], "b": (b"bytes", "text", {"deep": {1, 2}})},
    [frozenset({3}), bytearray(b"x"), 1 + 2j, 2**63, b"", "ü"],
    np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(3, dtype=">i2"),
    np.array(["ab", "c"]),
    np.zeros((0, 5), bool),
    np.float16(1.5),
    np.bool_(True),
]


class Call:
    """Pickles as a call of `function` with `arguments`, the usual way to run code."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def saved(path, value, protocol=pickle.HIGHEST_PROTOCOL):
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_are_read_from_every_protocol(tmp_path, value, protocol):
    found = pickles.load(saved(tmp_path / "x.pkl", value, protocol))
    np.testing.assert_equal(np.asarray(found) if isinstance(value, np.ndarray) else found, value)


kinds = st.sampled_from(["?", "i1", "u1", "<i8", ">f4", "<f2", "f8", "c8"])


@given(arrays.arrays(kinds, arrays.array_shapes(min_dims=0, min_side=0)))
def test_any_array_of_numbers_is_read_as_it_was(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "array.pkl"
    np.testing.assert_array_equal(pickles.load(saved(path, value)), value)


def test_names_of_older_and_newer_numpy_are_the_same(tmp_path):
    text = pickle.dumps(np.arange(3), 0)
    for old in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        content = text.replace(b"numpy._core.multiarray", old)
        found = pickles.load(saved(tmp_path / "x.pkl", content))
        np.testing.assert_array_equal(found, np.arange(3))


CALLS = {
    "os.system": Call(os.system, "touch MARK"),
    "subprocess": Call(subprocess.check_call, ["touch", "MARK"]),
    "eval": Call(builtins.eval, "open('MARK', 'w')"),
    "exec": Call(builtins.exec, "open('MARK', 'w')"),
    "open": Call(builtins.open, "MARK", "w"),
    "getattr": Call(builtins.getattr, "x", "upper"),
    "import": Call(builtins.__import__, "os"),
    "numpy's load": Call(np.load, "MARK"),
    "numpy's fromfile": Call(np.fromfile, "MARK"),
    "numpy's vectorize": Call(np.vectorize, os.getcwd),
    "partial": Call(functools.partial, os.system, "touch MARK"),
    "methodcaller": Call(operator.methodcaller, "system", "touch MARK"),
    "copyreg": Call(copyreg._reconstructor, collections.UserDict, object, None),
    "add_extension": Call(copyreg.add_extension, "os", "system", 99),
    "pickle in a pickle": Call(pickle.loads, pickle.dumps(Call(os.system, "touch MARK"))),
    "a class": collections.OrderedDict(a=1),
    "a function": os.system,
    "an object array": np.array([Call(os.system, "touch MARK")]),
}


@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("name", CALLS)
def test_a_pickle_that_calls_something_is_refused_by_name(tmp_path, monkeypatch, name, depth):
    monkeypatch.chdir(tmp_path)
    value = CALLS[name]
    for _ in range(depth):
        value = {"params": [1, (value,)]}
    with pytest.raises(Refused, match="only numpy arrays and Python's own containers|plain number"):
        pickles.load(saved(tmp_path / "x.pkl", value))
    assert not (tmp_path / "MARK").exists()


def stack_global(module, name):
    text = b"".join(b"\x8c" + bytes([len(item)]) + item for item in (module, name))
    return text + b"\x93"


BYTES = {
    "INST": b"(S'touch MARK'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch MARK'\no.",
    "NEWOBJ": b"\x80\x02cos\nsystem\n(\x81.",
    "EXT1": b"\x80\x02\x82\x63(tR.",
    "PERSID": b"Pmark\n.",
    "BINPERSID": b"\x80\x02U\x01x\x51.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
}


@pytest.mark.parametrize("name", BYTES)
def test_instructions_that_data_never_needs_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match=f"pickle instruction {name}"):
        pickles.load(saved(tmp_path / "x.pkl", BYTES[name]))
    assert not (tmp_path / "MARK").exists()


DOTTED = [
    (b"numpy", b"os.system"),
    (b"numpy.core.multiarray", b"_reconstruct.__globals__"),
    (b"builtins", b"set.__class__"),
]


@pytest.mark.parametrize("module, name", DOTTED)
def test_a_dotted_name_does_not_reach_through_what_is_allowed(tmp_path, module, name):
    content = b"\x80\x04" + stack_global(module, name) + b"."
    with pytest.raises(Refused, match="asks for"):
        pickles.load(saved(tmp_path / "x.pkl", content))


def test_what_a_pickle_may_call_it_cannot_change(tmp_path):
    before = dict(pickles.MAKERS)
    state = b"}\x8c\x04make\x4b\x01s"
    for build in (state + b"b", b"N" + state + b"\x86b"):
        content = b"\x80\x04" + stack_global(b"numpy", b"dtype") + build + b"."
        with pytest.raises(Refused, match="tries to change"):
            pickles.load(saved(tmp_path / "x.pkl", content))
    assert before == pickles.MAKERS and callable(pickles.MAKERS["numpy", "dtype"].make)
    np.testing.assert_array_equal(pickles.load(saved(tmp_path / "x.pkl", np.ones(2))), [1, 1])


def array_of(shape, kind, data):
    """A pickled array whose state says something else than numpy would."""
    maker = Call(np._core.multiarray._reconstruct, np.ndarray, (0,), b"b")
    maker.call = (*maker.call, (1, shape, kind, False, data))
    return maker


@pytest.mark.parametrize(
    "shape, kind, data",
    [
        ((10**9,), np.dtype("f4"), b"1234"),
        ((-1,), np.dtype("f4"), b"1234"),
        ((1,), np.dtype("f4"), "text"),
        ((1,), np.dtype("O"), [1]),
        ((1,), np.dtype([("a", "O")]), b"12345678"),
        ((1,), 5, b"1234"),
    ],
)
def test_an_array_that_is_not_what_it_says_is_refused(tmp_path, shape, kind, data):
    with pytest.raises(Refused):
        pickles.load(saved(tmp_path / "x.pkl", array_of(shape, kind, data)))


def doubled(times):
    """Instructions for a tuple of two tuples of two tuples ..., each kept once."""
    return b")\x94" + b"".join(
        b"h" + bytes([index]) + b"h" + bytes([index]) + b"\x86\x94" for index in range(times)
    )


LATIN = stack_global(b"_codecs", b"encode") + b"\x94(h\x00\x8c\x06latin1t\x94"
HOSTILE = {
    "a key that doubles": doubled(40) + b"}h\x28Ns.",
    "keys that double": doubled(40) + b"}(h\x28Nu.",
    "a dictionary of such": doubled(40) + b"(h\x28Nd.",
    "an item that doubles": doubled(40) + b"\x8f(h\x28\x90.",
    "a frozen set of such": doubled(40) + b"(h\x28\x91.",
    "a set of such, called": doubled(40) + stack_global(b"builtins", b"set") + b"(h\x28tt\x85R.",
    "a deep key": b"}N" + b"\x85" * 100_000 + b"Ns.",
    "a type that doubles": doubled(40) + stack_global(b"numpy", b"dtype") + b"h\x28\x85R.",
    "a huge number": b"\x8b" + struct.pack("<i", 100_000) + b"\x7f" * 100_000 + b".",
    "many copies": b"\x8d" + struct.pack("<Q", 2**20) + b"a" * 2**20 + b"\x94" + LATIN
    + b"]" + b"h\x01h\x02Ra" * 50 + b".",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_small_pickle_cannot_take_much_time_or_memory(tmp_path, name):
    path = saved(tmp_path / "x.pkl", b"\x80\x04" + HOSTILE[name])
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr


LIMITED = """
import resource, sys
from dreamer import pickles
from jobs.errors import Refused
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    pickles.load(sys.argv[1])
except Refused:
    sys.exit(2)
"""


@pytest.mark.parametrize("change", [b"K\x00K\x01s", b"(K\x00K\x01u", b"}b"])
def test_an_array_is_not_changed_by_instructions_for_dictionaries(tmp_path, change):
    array = pickle.dumps(np.zeros(3, np.int8), 5)[:-1]
    with pytest.raises(Refused, match="no dictionary|cut off"):
        pickles.load(saved(tmp_path / "x.pkl", array + change + b"."))


@pytest.mark.parametrize("call", [Call(bytearray, 10**12), Call(bytes, 10**12)])
def test_a_small_pickle_cannot_ask_for_much_memory(tmp_path, call):
    with pytest.raises(Refused):
        pickles.load(saved(tmp_path / "x.pkl", call))


@pytest.mark.parametrize("code", [b"r", b"\x95"], ids=["LONG_BINPUT", "FRAME"])
def test_a_place_far_beyond_the_file_is_refused(tmp_path, code):
    number = struct.pack("<I", 2**31) if code == b"r" else struct.pack("<Q", 2**40)
    with pytest.raises(Refused, match="beyond its"):
        pickles.load(saved(tmp_path / "x.pkl", b"\x80\x04N" + code + number + b"."))


@given(st.data())
def test_a_cut_off_pickle_is_one_sentence(tmp_path_factory, data):
    whole = pickle.dumps({"params": np.arange(50.0), "names": ["a", "b"]})
    kept = data.draw(st.integers(0, len(whole) - 1))
    path = saved(tmp_path_factory.getbasetemp() / "cut.pkl", whole[:kept])
    with pytest.raises(Refused) as refusal:
        pickles.load(path)
    assert "cut.pkl" in str(refusal.value) and "\n" not in str(refusal.value)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_plain(tmp_path_factory, content):
    path = saved(tmp_path_factory.getbasetemp() / "random.pkl", content)
    try:
        pickles.load(path)
    except Refused as refusal:
        assert "\n" not in str(refusal)


def test_a_file_larger_than_memory_is_refused_unread(tmp_path):
    path = tmp_path / "huge.pkl"
    path.touch()
    os.truncate(path, 2**42)  # sparse: it takes no space
    with pytest.raises(Refused, match="huge.pkl has 4,096 GB, more than"):
        pickles.load(path)
