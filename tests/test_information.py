"""Information: equal to pynapple's where that is right, and honest where it is not."""

import numpy as np
import pynapple as nap
import pytest

from analysis import information, rate_maps
from tests.test_rate_maps import AREA, reference


@pytest.fixture
def walk():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, AREA[0], 900), rng.integers(0, AREA[1], 900)
    activity = rng.random((900, 4)) * np.exp(-((x - 3) ** 2))[:, None]
    activity[:, 3] = (x == 6) & (y == 4)  # silent on all tiles but one
    return x, y, activity


def test_spatial_information_equals_that_of_pynapple(walk):
    x, y, activity = walk
    tiles = rate_maps.tiles(x, y, AREA)
    ours = information.information(activity, tiles)
    theirs = nap.compute_mutual_information(reference(x, y, activity, AREA), rates=activity.mean(0))
    np.testing.assert_allclose(ours, theirs["bits/spike"], rtol=1e-6)


def test_a_unit_active_in_one_of_four_equal_bins_carries_two_bits():
    bins = np.arange(400) % 4
    activity = np.stack([bins == 2, np.ones(400)], 1).astype(float)
    np.testing.assert_allclose(information.information(activity, bins), [2, 0])


def test_masked_bins_count_neither_in_occupancy_nor_in_the_mean():
    bins = np.r_[np.arange(400) % 2, [2]]
    activity = np.r_[np.arange(400) % 2, [1000.0]][:, None]
    assert information.information(activity, bins, min_occupancy=5) == pytest.approx(1.0)


def test_left_and_down_are_different_categories():
    facing = np.arange(800) % 4
    left, down = (facing == 0).astype(float), (facing == 3).astype(float)
    either = left + down
    bits = information.information(np.stack([left, down, either], 1), facing)
    np.testing.assert_allclose(bits, [2, 2, 1])


def test_negative_activity_is_not_silently_zero():
    bins = np.arange(400) % 4
    activity = np.where(bins == 2, 1.0, -3.0)[:, None]
    assert np.isnan(information.information(activity, bins))
    shifted = information.transformed(activity, "minshift")
    assert information.information(shifted, bins) == pytest.approx(2)
    assert information.information(information.transformed(activity, "relu"), bins) == 2


def test_a_silent_unit_carries_nothing():
    assert information.information(np.zeros((40, 1)), np.arange(40) % 4) == 0
