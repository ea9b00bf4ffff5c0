"""What strangers' files hold becomes arrays only where that takes bounded time and memory."""

import numpy as np
import pytest

from dreamer import plain


def shared(depth, first=0):
    """A list of two lists of two lists ..., each kept once."""
    found = [first]
    for _ in range(depth):
        found = [found, found]
    return found


CYCLE = [1]
CYCLE.append(CYCLE)
WIDE = [[[0] * 3000] * 3000] * 3000


@pytest.mark.parametrize("value", [shared(40), CYCLE, WIDE, [np.zeros(2**20)] * 2**20])
def test_lists_that_stand_for_too_many_numbers_are_refused(value):
    with pytest.raises(ValueError, match="more numbers in lists than can be read"):
        plain.array(value)


@pytest.mark.parametrize("value", [5, 2.5, True, np.float32(3), np.eye(2), [1, 2], [[1.5], [2]]])
def test_numbers_arrays_and_lists_of_them_become_arrays(value):
    np.testing.assert_array_equal(plain.array(value), np.array(value))
    np.testing.assert_array_equal(plain.array([value, value]), np.array([value, value]))


TEXTS = ["abc", None, {}, b"1", ["a"], [None], np.array(["a"]), 1j, np.array([1j]), [2**70]]


@pytest.mark.parametrize("value", TEXTS, ids=str)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="that is no array of numbers"):
        plain.array(value)


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        plain.array([[1], [1, 2]])


@pytest.mark.parametrize("value", [shared(40), CYCLE, "x" * 10**6, list(range(10**6))])
def test_any_value_is_brief_in_a_message(value):
    assert len(plain.brief(value)) <= plain.WORDS


@pytest.mark.parametrize("value", [0, 7, np.int32(7), plain.NUMBER])
def test_whole_numbers_are_taken(value):
    assert plain.whole(value) == value


@pytest.mark.parametrize("value", [-1, True, 1.0, np.nan, "1", [1], None, 2**63, np.ones(1, int)])
def test_what_is_no_whole_number_is_not_taken(value):
    assert plain.whole(value) is None
