"""Rate maps: means per tile, equal to pynapple's, with one binning for occupancy and tuning."""

import numpy as np
import pynapple as nap
import pytest

from analysis import rate_maps

AREA = (7, 5)


@pytest.fixture
def walk():
    rng = np.random.default_rng(0)
    return rng.integers(0, AREA[0], 900), rng.integers(0, AREA[1], 900), rng.random((900, 6))


def reference(x, y, activity, area):
    """pynapple's tuning curves over tile-centred bins."""
    times = np.arange(len(x), dtype=float)
    place = nap.TsdFrame(t=times, d=np.stack([x, y], 1).astype(float), columns=["x", "y"])
    ranges = [(-0.5, area[0] - 0.5), (-0.5, area[1] - 0.5)]
    return nap.compute_tuning_curves(
        nap.TsdFrame(t=times, d=activity), place, bins=list(area), range=ranges
    )


def test_maps_and_occupancy_equal_those_of_pynapple(walk):
    x, y, activity = walk
    maps, occupancy = rate_maps.rate_maps(activity, x, y, AREA)
    theirs = reference(x, y, activity, AREA)
    np.testing.assert_array_equal(occupancy, theirs.attrs["occupancy"])
    np.testing.assert_allclose(maps, theirs.values, rtol=1e-6)


def test_a_map_holds_the_mean_of_its_own_tile_x_first():
    maps, occupancy = rate_maps.rate_maps(
        np.array([[1.0], [3.0], [8.0]]), [6, 6, 0], [1, 1, 4], AREA
    )
    assert maps[0, 6, 1] == 2 and maps[0, 0, 4] == 8 and occupancy[6, 1] == 2
    assert np.isfinite(maps).sum() == 2


def test_rarely_visited_tiles_are_masked_in_maps_and_occupancy_alike(walk):
    x, y, activity = walk
    maps, occupancy = rate_maps.rate_maps(activity, x, y, AREA, min_occupancy=25)
    assert 0 < (occupancy > 0).sum() < occupancy.size
    np.testing.assert_array_equal(np.isfinite(maps), np.broadcast_to(occupancy > 0, maps.shape))
    assert occupancy[occupancy > 0].min() >= 25


def test_negative_activity_keeps_its_sign(walk):
    x, y, activity = walk
    low, _ = rate_maps.rate_maps(-activity, x, y, AREA)
    high, _ = rate_maps.rate_maps(activity, x, y, AREA)
    np.testing.assert_allclose(low, -high)
