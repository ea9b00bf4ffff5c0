"""Samplers that follow signals draw as their definition says, whatever happened before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dreamer import options, samplers
from dreamer.sumtree import SumTree
from jobs.errors import Refused
from tests.brute_sampler import Brute, marginals

ENVS, WINDOW, KEPT = 2, 4, 11
TREES = ["uncertainty", "uncertainty_inf", "uncertainty_clipping", "priority", "curious"]
OTHER = {"stats_every": 6, "cache_every": 10, "maxfrac": 0.3, "exponent": 0.7}


def pair(name, kept=KEPT, **more):
    """A sampler and its definition, of a replay that keeps few rows."""
    changes = {"replay.sampler": name}
    changes |= {f"replay.{key}": value for key, value in (OTHER | more).items()}
    block = options.resolve((), changes)["replay"]
    return samplers.make(ENVS, WINDOW, kept, block), Brute(ENVS, WINDOW, kept, block)


def add(sampler, brute, rng, count):
    """Rows; a pass over the replay gives those a signal that were there."""
    for _ in range(count):
        due = brute.add()
        sampler.keep(brute.oldest, brute.end)
        if sampler.due:
            assert due
            windows = np.array(sorted(brute.law()))
            kl = rng.gamma(1.0, 5.0, (ENVS, KEPT))
            rows = kl[windows[:, :1], (windows[:, 1:] + np.arange(1, WINDOW)) % KEPT]
            sampler.cache(windows, rows)
            brute.learn(windows, {"kl": rows})


def train(sampler, brute, rng, windows):
    """An update on windows [B, 2]."""
    shape = len(windows), WINDOW - 1
    signal = {name: rng.gamma(1.0, 5.0, shape) for name in ("kl", "beliefs", "model")}
    sampler.learn(windows, signal)
    brute.learn(windows.tolist(), signal)


def weights(sampler):
    """{window: weight} of a sampler with a tree; nothing else may have a weight."""
    found = {}
    for place in np.flatnonzero(sampler.tree.weights):
        env, slot = divmod(int(place), sampler.kept)
        start = sampler.oldest + (slot - sampler.oldest) % sampler.kept
        found[env, int(start)] = sampler.tree.weights[place]
    return found


def law(found):
    total = sum(found.values())
    return {window: weight / total for window, weight in found.items()}


def check_frequencies(drawn, expected):
    """Windows drawn once each against {window: probability}; rare ones are taken together."""
    windows = [window for window, share in expected.items() if share > 0]
    counts = [int((np.array(drawn) == window).all(1).sum()) for window in windows]
    shares = len(drawn) * np.array([expected[window] for window in windows])
    assert sum(counts) == len(drawn)  # nothing impossible was drawn
    group = np.where(shares < 5, 0, np.arange(1, len(windows) + 1))
    counts, shares = (np.bincount(group, values) for values in (counts, shares))
    assert stats.chisquare(counts[shares > 0], shares[shares > 0]).pvalue > 0.001


CASES = [(name, {}) for name in TREES] + [("priority", {"initial": "mean_std"})]


@pytest.mark.parametrize("name, more", CASES)
def test_draws_are_as_often_as_by_brute_force(name, more):
    sampler, brute = pair(name, **more)
    rng, draws = np.random.default_rng(3), 2000
    add(sampler, brute, rng, 14)
    for windows in ([[0, 3], [1, 5]], [[1, 6], [1, 7]], [[0, 5], [0, 10]]):
        train(sampler, brute, rng, np.array(windows))
        add(sampler, brute, rng, 1)
    state, batches = sampler.state(), []
    state = {key: value.copy() for key, value in state.items()}
    for _ in range(draws):
        sampler.restore(state)
        batches.append(sampler.draw(rng, 3))
    for place, expected in enumerate(marginals(brute, 3)):
        check_frequencies([batch[place] for batch in batches], expected)


@pytest.mark.parametrize("name", ["uniform", "recency", "uncertainty_caching"])
def test_draws_that_change_nothing_are_as_often_as_by_brute_force(name):
    sampler, brute = pair(name)
    rng = np.random.default_rng(4)
    add(sampler, brute, rng, 17)
    check_frequencies(sampler.draw(rng, 20_000), brute.law())


ACTIONS = st.lists(st.sampled_from(["add", "draw", "train", "resume"]), max_size=25)


def check_sums(tree):
    """Every sum is that of its parts, to the bit."""
    for parts, sums in zip(tree.levels[:-1], tree.levels[1:], strict=True):
        expected = [part.sum() for part in parts]
        np.testing.assert_array_equal(sums.ravel()[: len(parts)], expected)
        assert not sums.ravel()[len(parts) :].any()


@given(st.sampled_from(TREES), st.sampled_from([7, 40]), ACTIONS, st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_weights_and_sums_are_right_after_any_history(name, kept, actions, seed):
    sampler, brute = pair(name, kept)
    rng, drawn = np.random.default_rng(seed), np.zeros((0, 2), np.int64)
    add(sampler, brute, rng, WINDOW)
    for action in actions:
        if action == "add":
            add(sampler, brute, rng, int(rng.integers(1, 2 * kept)))
        elif action == "draw":
            drawn = sampler.draw(rng, 3)
            for window in drawn.tolist():
                assert brute.law()[tuple(window)] > 0
                brute.zero(window)
        elif action == "train":
            train(sampler, brute, rng, drawn[drawn[:, 1] + WINDOW > sampler.oldest])
        else:
            levels, state = sampler.tree.levels, sampler.state()
            sampler, _ = pair(name, kept)
            sampler.restore(state)
            for before, after in zip(levels, sampler.tree.levels, strict=True):
                np.testing.assert_array_equal(before, after)
    check_sums(sampler.tree)
    expected = {window: share for window, share in brute.law().items() if share}
    if sampler.tree.total:
        found = {window: share for window, share in law(weights(sampler)).items() if share > 1e-50}
        assert found == pytest.approx(expected, rel=1e-4)
    else:
        assert len(set(expected.values())) == 1


@given(size=st.integers(1, 3000), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_tree_finds_the_place_at_every_share_of_the_total(size, seed):
    tree, rng = SumTree(size), np.random.default_rng(seed)
    expected = np.zeros(size)
    for _ in range(4):
        places = rng.integers(size, size=int(rng.integers(0, 2 * size)))
        new = rng.integers(0, 5, len(places)) * 1.0
        tree.set(places, new)
        expected[places] = new
        np.testing.assert_array_equal(tree.weights[:size], expected)
        check_sums(tree)
        assert tree.total == expected.sum()
    if tree.total:
        shares = np.append(rng.random(50), [0.0, np.nextafter(1.0, 0.0)])
        wanted = np.searchsorted(np.cumsum(expected), shares * tree.total, side="right")
        np.testing.assert_array_equal(tree.draw(shares), wanted)


def test_infinite_windows_are_drawn_first_and_each_once():
    sampler, brute = pair("uncertainty_inf")
    rng = np.random.default_rng(5)
    add(sampler, brute, rng, 10)
    train(sampler, brute, rng, np.array([[0, 0], [0, 3], [0, 6], [1, 0], [1, 3], [1, 6]]))
    sampler.draw(rng, 200)  # first rows are never trained on, but drawn once
    train(sampler, brute, rng, np.array([[0, 0], [0, 3], [0, 6], [1, 0], [1, 3], [1, 6]]))
    add(sampler, brute, rng, 1)
    drawn = sampler.draw(rng, 3).tolist()
    assert sorted(drawn[:2]) == [[0, 7], [1, 7]] and drawn[2] not in drawn[:2]


EXTREME = [(name, {"exponent": 40.0}) for name in TREES[:3]] + [("curious", {"curious.alpha": 10})]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 3e38])
@pytest.mark.parametrize("name, more", [*EXTREME, ("uncertainty", {}), ("curious", {})])
def test_a_signal_that_is_no_priority_breaks_no_sum_and_is_no_infinite_one(name, more, value):
    sampler, brute = pair(name, **more)
    add(sampler, brute, np.random.default_rng(6), 9)
    values = np.full((2, WINDOW - 1), value, np.float32)
    sampler.learn(np.array([[0, 2], [1, 2]]), {"kl": values, "model": values})
    weights, trained = sampler.tree.weights, sampler.steps.value[:, 3:6]
    assert np.isfinite(trained).all() and np.isfinite(weights).all() and (weights >= 0).all()


def test_a_pass_that_finds_the_largest_numbers_leaves_later_steps_finite():
    sampler, _ = pair("uncertainty_caching", kept=40)
    sampler.keep(0, 10)
    windows = np.array([[env, start] for env in range(ENVS) for start in (0, 3, 6)])
    sampler.cache(windows, np.full((6, WINDOW - 1), np.inf, np.float32))
    sampler.keep(0, 30)
    assert np.isfinite(sampler.steps.value[:, :30]).all()


def test_curious_counts_every_training_and_the_first_one_finds_none_before_it():
    sampler, _ = pair("curious", kept=40)
    sampler.keep(0, 20)
    once, thrice = [0, 2], [[0, 10]] * 3
    for windows in ([once, *thrice], *[thrice[:1]] * 300):
        signal = np.zeros((len(windows), WINDOW - 1))
        sampler.learn(np.array(windows), {"model": signal})
        if windows != thrice[:1]:
            low = 0.01**0.7
            np.testing.assert_allclose(sampler.steps.value[0, 3:6], 1e4 + low, rtol=1e-6)
            np.testing.assert_allclose(sampler.steps.value[0, 11:14], 4900 + low, rtol=1e-6)
    assert (sampler.visits[0, 11:14] == 303).all()


def test_a_family_without_the_signal_is_refused_by_name():
    sampler, brute = pair("curious")
    add(sampler, brute, np.random.default_rng(7), 9)
    with pytest.raises(Refused, match="'curious', which needs the signal 'model', .* only .'kl'"):
        sampler.learn(np.array([[0, 2]]), {"kl": np.ones((1, WINDOW - 1))})


def test_the_effective_size_counts_equal_windows_whole():
    sampler, brute = pair("uncertainty")
    add(sampler, brute, np.random.default_rng(8), 5)
    assert sampler.measure()["effective_size"] == pytest.approx(ENVS * 2)
    sampler, _ = pair("recency")
    sampler.keep(0, WINDOW + 1)
    assert sampler.measure()["effective_size"] == pytest.approx(ENVS * 1.5**2 / 1.25)
