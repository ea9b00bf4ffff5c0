"""Held-out explained variance: the formula, and what it says of planted units and of noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import splits
from analysis.explained import Cells, standardised
from tests import synthetic

WORLD = np.full((8, 8), synthetic.GRASS, np.uint8)


def slowly(activity, place, category, fold, least):
    """The definition, step by step, of one unit [T]: explained variance by place, facing, both."""
    left, total = np.zeros(4), 0.0
    for held in np.unique(fold):
        train, residual, tested = fold != held, [], []
        mean = activity[train].mean()
        for step in np.flatnonzero(fold == held):
            here = train & (place == place[step])
            if here.sum() < least:
                continue
            turned, same = train & (category == category[step]), here & (category == category[step])
            by_place = (activity[here].sum() + 2 * mean) / (here.sum() + 2)
            plain = activity[here].mean()
            by_category = activity[turned].mean() if turned.any() else mean
            pull = 2 * (by_place + by_category - mean)
            by_both = (activity[same].sum() + pull) / (same.sum() + 2)
            residual.append(activity[step] - np.array([by_place, plain, by_category, by_both]))
            tested.append(activity[step])
        if tested:
            left += len(tested) * np.var(residual, axis=0)
            total += len(tested) * np.var(tested)
    return 1 - left / total


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 5))
def test_sums_over_cells_give_the_same_as_the_definition_step_by_step(seed, least, folds):
    rng = np.random.default_rng(seed)
    place, category = rng.integers(0, 6, 120), rng.integers(0, 4, 120)
    fold = rng.integers(0, folds, 120)
    activity = rng.normal(size=(120, 2)) + place[:, None] * 0.3 + 5
    cells = Cells(place, fold, least, {"facing": category})
    found = cells.explained(standardised(activity))
    for unit in range(2):
        wanted = slowly(activity[:, unit], place, category, fold, least)
        got = [found[name][unit] for name in ("place", "unshrunk", "facing", "place+facing")]
        np.testing.assert_allclose(got, wanted, atol=2e-5)


@pytest.fixture(scope="module")
def walked():
    """30 episodes of 150 steps on open ground: (x, y, facing, fold, episode), each [T]."""
    rng = np.random.default_rng(0)
    walks = [synthetic.walk(index, 150, WORLD, rng) for index in range(30)]
    episode = np.repeat(np.arange(30), 150)
    fold = np.zeros(len(episode), int)
    for index, (_, test) in enumerate(splits.folds(episode, 5)):
        fold[test] = index
    return *(np.concatenate([getattr(w, n) for w in walks]) for n in ("x", "y", "facing")), fold


def evaluate(walked, activity):
    x, y, facing, fold = walked
    found = Cells(x * 8 + y, fold, 5, {"facing": facing}).explained(standardised(activity))
    both = found["place+facing"]
    return both - found["facing"], both - found["place"], found["place"]


def test_place_units_have_spatial_gain_and_facing_units_have_facing_gain(walked):
    x, y, facing, _ = walked
    rng = np.random.default_rng(1)
    clean = np.stack([np.exp(-((x - 3) ** 2 + (y - 4) ** 2) / 8), facing == 0, facing == 3], 1)
    activity = clean / clean.std(0) + 0.5 * rng.normal(size=clean.shape) - 7
    spatial, facing_gain, place = evaluate(walked, activity)
    assert place[0] > 0.7 and spatial[0] > 0.6 and facing_gain[0] < 0.05
    assert (spatial[1:] < 0.05).all() and (facing_gain[1:] > 0.6).all()


def test_noise_explains_nothing_in_held_out_episodes(walked):
    activity = np.random.default_rng(2).normal(size=(len(walked[0]), 200))
    _, _, place = evaluate(walked, activity)
    assert place.mean() <= 2 * place.std() / np.sqrt(len(place))


def test_on_its_own_training_data_noise_would_seem_explained(walked):
    x, y, _, _ = walked
    activity = np.random.default_rng(2).normal(size=(len(x), 50))
    tile = x * 8 + y
    fitted = np.stack([np.bincount(tile, unit) / np.bincount(tile) for unit in activity.T], 1)
    trained = 1 - (activity - fitted[tile]).var(0) / activity.var(0)
    assert trained.mean() > 0.01 > evaluate(walked, activity)[2].mean()


def test_offset_and_scale_change_nothing(walked):
    activity = np.random.default_rng(3).normal(size=(len(walked[0]), 5)) + walked[0][:, None]
    first, second = evaluate(walked, activity), evaluate(walked, 1000 - 0.01 * activity)
    np.testing.assert_allclose(first, second, atol=1e-4)


@pytest.mark.parametrize("share, known", [(3e-5, False), (1e-3, True)])
def test_a_unit_that_hardly_varies_where_it_is_tested_has_no_explained_variance(share, known):
    rng = np.random.default_rng(4)
    place, fold = np.tile([0, 1], 1000), np.repeat([0, 1, 2, 3], 500)
    activity = rng.normal(size=(2000, 1)) * np.sqrt(share)
    place[:20], activity[:20] = np.arange(2, 22), 10 * rng.choice([-1, 1], (20, 1))  # never tested
    found = Cells(place, fold, 1).explained(standardised(activity))
    assert np.isfinite(found["place"]).all() == known == np.isfinite(found["unshrunk"]).all()


def test_a_constant_unit_has_no_explained_variance(walked):
    found = evaluate(walked, np.full((len(walked[0]), 1), 0.3))
    assert np.isnan(found).all()
