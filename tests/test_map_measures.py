"""Fields, autocorrelation and published measures of maps whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import autocorrelation, fields, map_quality, rate_maps

AREA = (24, 20)
X, Y = np.divmod(np.arange(AREA[0] * AREA[1]), AREA[1])
EVERYWHERE = rate_maps.binned(np.repeat(np.arange(AREA[0] * AREA[1]), 6))


def bump(x, y, width):
    """A Gaussian field [B] on all tiles."""
    return np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * width**2))


def maps(*values):
    """Maps [U, W, H] of values [B]."""
    return rate_maps.spread(np.stack(values, 1), np.arange(len(X)), AREA)


def test_fields_are_counted_whatever_the_sign_of_the_unit():
    one, two = bump(6, 6, 2), bump(5, 5, 1.5) + bump(18, 14, 1.5)
    found = fields.shapes(np.stack([one, -one, two, -3 * two + 7], 1), EVERYWHERE, AREA)
    assert found["fields"].tolist() == [1, 1, 2, 2]
    assert found["polarity"].tolist() == [1, -1, 1, -1]
    assert found["cover"][0] == pytest.approx(found["cover"][1])
    assert found["cover"][0] < 0.1


def test_a_ramp_covers_about_half_of_the_world():
    found = fields.shapes(X[:, None].astype(float), EVERYWHERE, AREA)
    assert 0.35 < found["cover"][0] < 0.6 and found["fields"][0] == 1


def test_single_bright_tiles_are_no_fields_but_there_is_never_less_than_one():
    speck = np.zeros((len(X), 2))
    speck[200, 0] = 1
    speck[:, 1] = bump(5, 5, 2) + 0
    speck[470, 1] = 6.0
    place = EVERYWHERE
    found = fields.shapes(speck, place, AREA, sigma=0.01)
    assert found["fields"].tolist() == [1, 1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 50), st.floats(-100, 100))
def test_scale_and_offset_of_a_unit_change_no_shape(seed, scale, offset):
    unit = np.random.default_rng(seed).normal(size=(len(X), 1)) + 3 * bump(6, 6, 3)[:, None]
    first = fields.shapes(unit, EVERYWHERE, AREA)
    second = fields.shapes(scale * unit + offset, EVERYWHERE, AREA)
    assert first["fields"] == second["fields"]
    np.testing.assert_allclose(first["cover"], second["cover"], atol=0.01)


def test_the_autocorrelogram_is_one_at_no_lag_and_symmetric():
    found = autocorrelation.autocorrelogram(maps(bump(6, 6, 2)))[0]
    centre = AREA[0] - 1, AREA[1] - 1
    assert found.shape == (2 * AREA[0] - 1, 2 * AREA[1] - 1)
    assert found[centre] == pytest.approx(1) == found.max()
    np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-9)


def test_without_subtracting_the_mean_an_offset_would_make_one_huge_field():
    """A published defect: the autocorrelation of a map that keeps its mean."""
    field = bump(6, 6, 2)
    small, raised = autocorrelation.shapes(maps(field, field + 100))["field_size"]
    assert raised == pytest.approx(small) and small < 8
    raw = np.abs(np.fft.fft2(maps(field + 100)[0], (47, 39))) ** 2
    kept = np.fft.ifft2(raw).real
    assert np.sqrt((kept > kept.max() / 2).sum()) > 2 * small


def test_peaks_size_and_asymmetry_follow_the_fields():
    grid = sum(bump(x, y, 1.5) for x in (4, 12, 20) for y in (3, 10, 17))
    stripe = np.exp(-((X - 8) ** 2) / 8.0)
    found = autocorrelation.shapes(maps(bump(10, 10, 2), bump(10, 10, 3), grid, stripe))
    assert found["peaks"][:2].tolist() == [1, 1] and found["peaks"][2] > 1
    assert found["field_size"][0] < found["field_size"][1]
    assert found["asymmetry"][0] < 1.2 and found["asymmetry"][3] > 3


def test_a_constant_map_and_one_without_tiles_have_no_shape():
    flat, empty = np.ones(len(X)), np.full(len(X), np.nan)
    found = autocorrelation.shapes(maps(flat, empty))
    assert all(np.isnan(values).all() for values in found.values())
    assert np.isnan(autocorrelation.shapes(np.zeros((2, 0, 0)))["peaks"]).all()


def test_sparsity_is_one_where_activity_is_equal_everywhere_and_small_for_a_field():
    rates = np.stack([np.ones(len(X)), bump(6, 6, 1), np.zeros(len(X))], 1)
    found = map_quality.sparsity(rates, np.ones(len(X)))
    assert found[0] == pytest.approx(1) and found[1] < 0.1 and np.isnan(found[2])


def test_coherence_tells_smooth_maps_from_noise_and_skips_masked_tiles():
    noise = np.random.default_rng(0).normal(size=len(X))
    holes = np.where(np.arange(len(X)) % 7 == 0, np.nan, bump(6, 6, 3))
    found = map_quality.coherence(maps(bump(6, 6, 3), noise, holes, np.ones(len(X))))
    assert found[0] > 0.95 and abs(found[1]) < 0.2 and found[2] > 0.95 and np.isnan(found[3])


def test_the_border_score_is_computable_and_highest_for_a_border():
    """A published defect: a border score that compared against tiles that never exist."""
    distance = np.stack([X + 1, AREA[0] - X, Y + 1, AREA[1] - Y], 1)
    near, far = map_quality.nearness(np.arange(len(X)), np.arange(len(X)), distance)
    assert near.sum(1).tolist() == [20, 20, 24, 24] and (near * far == 0).all()
    rates = np.stack([1.0 * (X == 0), bump(12, 10, 2), np.ones(len(X))], 1)
    score = map_quality.border_score(rates, near, far)
    assert score[0] == pytest.approx(1) and score[1] < 0 and score[2] == pytest.approx(0)


def test_without_a_wall_within_reach_there_is_no_border_score():
    distance = np.full((len(X), 4), 9)
    near, far = map_quality.nearness(np.arange(len(X)), np.arange(len(X)), distance)
    assert np.isnan(map_quality.border_score(np.ones((len(X), 2)), near, far)).all()
