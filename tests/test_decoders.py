"""Decoders, splits, swaps and errors: exact where they must be, at chance where they must be."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from analysis import chance, decoders, errors, fitting, geodesic, ridge, robust, splits, swaps
from jobs.errors import Refused
from tests import synthetic

OPTIONS = {
    "ridge_strengths": [1e-6, 1e-3, 1.0, 1e3],
    "robust_strengths": [1e-1, 1e-2, 1e-3, 1e-4],
    "tolerance": 1e-3,
}
lengths = st.lists(st.integers(1, 12), min_size=2, max_size=14)


def walks(episodes=8, steps=60, area=(5, 5), seed=0):
    """(episode [T], position [T, 2], one-hot activity [T, W*H])."""
    rng = np.random.default_rng(seed)
    terrain = np.full(area, synthetic.GRASS)
    found = [synthetic.walk(index, steps, terrain, rng) for index in range(episodes)]
    position = np.concatenate([np.stack([item.x, item.y], 1) for item in found])
    episode = np.repeat(np.arange(episodes), steps)
    return episode, position, np.concatenate([synthetic.one_hot(item) for item in found])


def decode(activity, position, episode, methods=("ridge", "robust")):
    train, test = splits.folds(episode, 4)[0]
    data = fitting.Data(activity, position, episode, (5, 5)).at(train)
    fitted = fitting.fit(methods, ["layer"], data, OPTIONS, 25)
    return {name: decoders.apply(item, activity[test]) for name, item in fitted.items()}, test


def test_both_decoders_are_exact_on_a_one_hot_position():
    episode, position, activity = walks(12)
    found, test = decode(activity, position, episode)
    own = errors.columns(found["robust"].tiles, position[test])
    seen = own >= 0
    assert seen.mean() > 0.9
    for guess in found.values():
        assert errors.hit(guess.point, position[test])[seen].all()
    bits = errors.cross_entropy(errors.own(found["robust"].probabilities, own), 25)
    assert bits[seen].mean() < 0.1


@pytest.mark.parametrize("null", ["swapped episodes", "labels shifted in a circle"])
def test_decoders_are_at_chance_when_behaviour_does_not_belong_to_the_activity(null):
    episode, position, activity = walks(24)
    rng = np.random.default_rng(1)
    if null == "swapped episodes":
        groups = swaps.blocks(episode)
        activity, episode = activity[swaps.identity(groups)], episode[swaps.identity(groups)]
        position = position[swaps.draw(groups, rng)]
    else:
        shifts = rng.integers(20, 40, 24)
        parts = np.split(position, 24)
        position = np.concatenate(
            [np.roll(part, shift, axis=0) for part, shift in zip(parts, shifts, strict=True)]
        )
    found, test = decode(activity, position, episode)
    constant = chance.constants(position)["mean Euclidean error"]
    level = errors.euclidean(constant, position[test]).mean()
    for guess in found.values():
        assert errors.euclidean(guess.point, position[test]).mean() > 0.85 * level


@settings(deadline=None, max_examples=50)
@given(lengths, st.integers(2, 8), st.floats(0.05, 0.95), st.integers(0, 99))
def test_no_episode_is_ever_in_both_train_and_test(sizes, count, fraction, seed):
    episode = np.repeat(np.arange(len(sizes)), sizes)
    grouped = splits.folds(episode, count)
    for train, test in [*grouped, *splits.holdout(episode, fraction, seed), splits.inner(episode)]:
        assert len(train) and len(test)
        assert not set(episode[train]) & set(episode[test])
    np.testing.assert_array_equal(
        np.sort(np.concatenate([test for _, test in grouped])), range(len(episode))
    )


def test_one_episode_cannot_be_split_and_gets_the_middle_of_the_grid():
    episode, position, activity = walks(1)
    assert splits.folds(episode, 5) == [] and splits.holdout(episode, 0.2, 0) == []
    data = fitting.Data(activity, position, episode, (5, 5))
    fitted = fitting.fit(("ridge",), ["layer"], data, OPTIONS, 25)
    assert fitted["ridge"].strength == 1.0


@settings(deadline=None, max_examples=50)
@given(lengths, st.integers(1, 60), st.integers(0, 99))
def test_samples_are_whole_episodes_thinned_to_the_number_asked_for(sizes, wanted, seed):
    episode = np.repeat(np.arange(len(sizes)), sizes)
    whole, thin = splits.sample(episode, np.ones(len(episode), bool), wanted, seed)
    assert set(np.bincount(episode[whole], minlength=len(sizes)) - sizes) <= {
        0,
        *np.negative(sizes),
    }
    assert len(thin) == min(wanted, len(episode)) and set(thin) <= set(whole)


def test_episodes_in_a_small_box_are_left_out():
    position = np.array([(0, 0), (1, 1), (5, 5), (9, 7)])
    keep = splits.roomy(np.array([0, 0, 1, 1]), position, 10)
    assert keep.tolist() == [False, False, True, True]


@settings(deadline=None, max_examples=50)
@given(lengths, st.integers(0, 99))
def test_swaps_keep_the_step_and_permute_episodes_of_like_length(sizes, seed):
    episode = np.repeat(np.arange(len(sizes)), sizes)
    step = np.concatenate([np.arange(size) for size in sizes])
    groups = swaps.blocks(episode)
    rows, drawn = swaps.identity(groups), swaps.draw(groups, np.random.default_rng(seed))
    np.testing.assert_array_equal(step[rows], step[drawn])
    assert sorted(rows) == sorted(drawn)
    bounds = [(min(sizes[e] for e in set(episode[g[:, 0]])), len(g)) for g in groups]
    assert all(len(members) >= min(6, len(sizes)) for members in groups)
    assert [low for low, _ in bounds] == [members.shape[1] for members in groups]
    pairs = dict(zip(episode[rows], episode[drawn], strict=True))
    assert len(set(pairs.values())) == len(pairs)


def test_p_counts_the_observed_value_itself():
    assert swaps.p_value([3.0, 4.0, 5.0], 2.0, "low") == 0.25
    assert swaps.p_value([1.0, 4.0, 5.0], 2.0, "high") == 0.75


def test_ridge_solves_its_normal_equations_whether_units_or_steps_are_more():
    rng = np.random.default_rng(0)
    for steps, units in ((60, 7), (9, 30)):
        activity, target = rng.normal(size=(steps, units)), rng.normal(size=(steps, 2))
        basis = ridge.basis(activity)
        weights, bias = ridge.solve(basis, target, 0.3)
        unit = (activity - activity.mean(0)) / activity.std(0)
        normal = unit.T @ unit / steps + 0.3 * np.eye(units)
        wanted = unit @ np.linalg.solve(normal, unit.T @ (target - target.mean(0)) / steps)
        found = ridge.rotate(basis, activity) @ weights + bias - target.mean(0)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_classifier_is_at_least_as_good_as_scikit_learns_at_its_best_strength():
    episode, position, _ = walks(12, 80, (6, 6))
    rng = np.random.default_rng(0)
    fields = np.exp(-((position[:, None] - rng.uniform(0, 5, (24, 2))) ** 2).sum(2) / 4)
    activity = (fields + rng.normal(size=fields.shape) * 0.3).astype(np.float32)
    train, test = splits.folds(episode, 4)[0]
    basis = ridge.basis(activity[train])
    held = ridge.rotate(basis, activity[test])
    tiles, labels = np.unique(position[train], axis=0, return_inverse=True)
    own = errors.columns(tiles, position[test])
    ours, theirs, seconds = [], [], [0.0, 0.0]
    for strength in OPTIONS["robust_strengths"][:3]:
        start = time.process_time()
        data = (basis.rotated, basis.values, labels, len(tiles))
        weights, solved = robust.solve(*data, strength, 1e-4)
        seconds[0] += time.process_time() - start
        assert solved
        ours.append(_bits(robust.probabilities(held, weights), own))
        start = time.process_time()
        rival = LogisticRegression(C=1 / (strength * len(train)), tol=1e-4, max_iter=1000)
        rival.fit(basis.rotated, labels)
        seconds[1] += time.process_time() - start
        theirs.append(_bits(rival.predict_proba(held), own))
    print(f"bits: {min(ours):.4f} and {min(theirs):.4f}; seconds: {seconds}")
    assert min(ours) <= min(theirs) + 1e-3
    np.testing.assert_allclose(ours, theirs, atol=5e-3)


def test_the_search_goes_on_past_a_strength_that_is_a_little_worse(monkeypatch):
    """Near the strongest penalties all are alike; stopping there missed the best by bits."""
    bits = {100.0: 14.75, 10.0: 14.76, 1.0: 14.0, 0.1: 13.0, 0.01: 13.5, 0.001: 15.0}
    monkeypatch.setattr(robust, "solve", lambda *args: (args[4], True))
    monkeypatch.setattr(robust, "probabilities", lambda _, strength: strength)

    def score(strength):
        return bits.get(strength, 12.9)

    found = robust.choose((0, 0, 0), 0, 5, list(bits), 1e-3, score)
    assert found.score == 12.9 and 0.01 < found.strength < 1  # between the best and its neighbours


def test_a_start_from_the_inner_split_changes_nothing_but_the_time():
    episode, position, _ = walks(8, 40, (4, 4))
    rng = np.random.default_rng(0)
    activity = rng.normal(size=(len(position), 10)).astype(np.float32) + position[:, :1]
    data = fitting.Data(activity, position, episode, (4, 4))
    strict = OPTIONS | {"tolerance": 1e-5, "robust_strengths": [0.01]}
    warm = fitting.fit(("robust",), ["a"], data, strict, 16)["robust"]
    tiles, labels = fitting.classes(position)
    basis = ridge.basis(activity)
    cold, _ = robust.solve(basis.rotated, basis.values, labels, len(tiles), 0.01, 1e-5)
    np.testing.assert_allclose(
        decoders.apply(warm, activity).probabilities,
        robust.probabilities(basis.rotated, cold),
        atol=2e-3,
    )


def _bits(probabilities, own):
    return errors.cross_entropy(errors.own(probabilities, own), 36).mean()


def test_a_tile_that_training_never_saw_costs_the_floor_and_no_error():
    episode, position, activity = walks(6)
    train = position[:, 0] < 3
    data = fitting.Data(activity, position, episode, (5, 5)).at(train)
    fitted = fitting.fit(("robust",), ["layer"], data, OPTIONS, 25)["robust"]
    guess = decoders.apply(fitted, activity[~train])
    own = errors.own(guess.probabilities, errors.columns(guess.tiles, position[~train]))
    assert (own == 0).all()
    np.testing.assert_allclose(errors.cross_entropy(own, 25), -np.log2(0.001 / 25))


def test_units_that_never_change_do_no_harm():
    episode, position, activity = walks(6)
    dull = np.concatenate([activity, np.full((len(activity), 3), 7.0)], axis=1)
    found, test = decode(dull, position, episode)
    for guess in found.values():
        assert (
            np.isfinite(guess.point).all() and errors.hit(guess.point, position[test]).mean() > 0.9
        )


def test_a_saved_decoder_says_the_same_and_its_file_is_the_same_each_time(tmp_path):
    episode, position, activity = walks(6)
    data = fitting.Data(activity, position, episode, (5, 5))
    fitted = fitting.fit(("ridge", "robust"), ["a", "b"], data, OPTIONS, 25)
    paths = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for path in paths:
        decoders.save(path, {"both": fitted}, {"inputs": {"trajectory": "abc"}})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    header, loaded = decoders.load(paths[0])
    assert header["inputs"] == {"trajectory": "abc"}
    assert header["decoders"]["both|robust"]["layers"] == ["a", "b"]
    for method, decoder in fitted.items():
        before, after = (
            decoders.apply(item, activity) for item in (decoder, loaded["both"][method])
        )
        np.testing.assert_array_equal(before.point, after.point)
        if method == "robust":
            np.testing.assert_array_equal(before.probabilities, after.probabilities)


def test_a_cut_or_foreign_decoder_file_is_refused(tmp_path):
    path = tmp_path / "d.safetensors"
    path.write_bytes(b"\x00" * 20)
    with pytest.raises(Refused, match="cut off or not a safetensors file"):
        decoders.load(path)
    with pytest.raises(Refused, match="does not exist"):
        decoders.load(tmp_path / "none.safetensors")


def test_a_decoder_refuses_activity_of_another_width():
    episode, position, activity = walks(4)
    data = fitting.Data(activity, position, episode, (5, 5))
    fitted = fitting.fit(("ridge",), ["layer"], data, OPTIONS, 25)["ridge"]
    with pytest.raises(Refused, match="takes 25 units, but the file has 24"):
        decoders.apply(fitted, activity[:, 1:])


def test_path_lengths_go_around_walls_and_start_at_the_nearest_reachable_tile():
    # A wall at x = 1 but for y = 2; (4, 0) is an island.   . # . # .
    mask = np.ones((5, 3), bool)  #                          . # . # #
    mask[1, :2] = mask[3, :] = mask[4, 1:] = False  #        . . . # #
    truth = np.array([(0, 0), (0, 0), (0, 0), (4, 0), (1, 0)])
    guess = np.array([(2, 0), (0, 1), (4.0, 0), (0.0, 0), (1, 0)])
    grounds = geodesic.grounds(truth[:4], np.zeros(4, int), {0: mask})
    assert geodesic.lengths(grounds, guess[:4]).tolist() == [6, 1, 6, 0]
    dug = geodesic.grounds(truth, np.zeros(5, int), {0: mask})
    assert geodesic.lengths(dug, guess).tolist() == [2, 1, 2, 0, 0]


def test_errors_by_hand():
    guess, truth = np.array([(0.0, 0.0), (3.4, 4.0)]), np.array([(3, 4), (3, 4)])
    np.testing.assert_allclose(errors.euclidean(guess, truth), [5, 0.4])
    np.testing.assert_allclose(errors.manhattan(guess, truth), [7, 0.4])
    assert errors.hit(guess, truth).tolist() == [False, True]
    np.testing.assert_allclose(errors.entropy(np.array([[0.5, 0.5, 0.0]])), [1.0])
    across = errors.r_squared(np.array([(1.0, 0), (3, 0)]), np.array([(0, 5), (4, 5)]))
    np.testing.assert_allclose(across, [0.75, np.nan])


def test_chance_tiles_are_reachable_and_the_constant_is_the_best_one():
    mask = np.ones((5, 3), bool)
    mask[2] = False
    truth = np.array([(0, 0)] * 5 + [(4, 2)])
    grounds = geodesic.grounds(truth, np.zeros(6, int), {0: mask})
    drawn = chance.uniform(grounds, 6, (5, 3), np.random.default_rng(0))
    assert (drawn[:, :5, 0] < 2).all() and (drawn[:, 5, 0] > 2).all()
    constants = chance.constants(truth)
    assert constants["top-1 accuracy"].tolist() == [0, 0]
    assert constants["median Manhattan error"].tolist() == [0, 0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50))
def test_the_best_constant_beats_every_other_visited_tile(seed):
    position = np.random.default_rng(seed).integers(0, 6, (40, 2))
    constants = chance.constants(position)
    for name, statistic in (("mean", np.mean), ("median", np.median)):
        for kind in ("Euclidean", "Manhattan"):
            error = getattr(errors, kind.lower())
            best = statistic(error(constants[f"{name} {kind} error"], position))
            others = [statistic(error(tile, position)) for tile in np.unique(position, axis=0)]
            assert best <= min(others) + (1.0 if name == "median" else 1e-9)
