"""The published decoder: its updates are AdamW, its patience counts iterations."""

import numpy as np
import pytest

from analysis import decoders, errors, fitting, prnn, splits
from tests.test_decoders import walks

OPTIONS = {"n_iters": 60, "patience": 0, "seed": 0}


def data(steps=40, units=5, tiles=9, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(steps, units)).astype(np.float32), rng.integers(0, tiles, steps)


def test_the_gradient_is_that_of_the_mean_cross_entropy():
    activity, labels = data()
    weights = np.random.default_rng(1).normal(size=(5, 9)).astype(np.float32)
    slope = prnn.gradient(activity, labels, weights)
    for place in [(0, 0), (3, 7)]:
        up, down = weights.copy(), weights.copy()
        up[place] += 1e-2
        down[place] -= 1e-2
        change = (prnn.loss(activity, labels, up) - prnn.loss(activity, labels, down)) / 2e-2
        assert slope[place] == pytest.approx(change, abs=1e-4)


def test_two_updates_are_those_of_adamw_by_hand():
    weights, mean, square = (np.zeros((1, 1), np.float32) for _ in range(3))
    weights += 2
    expected, m, v = 2.0, 0.0, 0.0
    for iteration, slope in ((1, 0.5), (2, -1.0)):
        prnn.adamw(weights, mean, square, np.float32([[slope]]), iteration)
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        step = (m / (1 - 0.9**iteration)) / (np.sqrt(v / (1 - 0.999**iteration)) + 1e-8)
        expected = expected * (1 - 1e-3 * 0.3) - 1e-3 * step
        np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_each_iteration_takes_half_of_the_steps_without_replacement(monkeypatch):
    activity, labels = data(steps=41)
    activity[:, 0] = np.arange(41)
    seen, real = [], prnn.gradient

    def gradient(part, own, weights):
        seen.append(part[:, 0].tolist())
        return real(part, own, weights)

    monkeypatch.setattr(prnn, "gradient", gradient)
    prnn.train(activity, labels, 9, OPTIONS)
    assert len(seen) == 60
    assert all(len(rows) == 20 == len(set(rows)) for rows in seen)
    assert len({tuple(rows) for rows in seen}) == 60


@pytest.mark.parametrize("patience", [3, 30, 200])
def test_patience_counts_iterations_not_looks_at_the_held_out_loss(patience, monkeypatch):
    """Published code counted looks, so training went on many times longer than asked for."""
    activity, labels = data()
    losses = iter([1.0, *[2.0] * 1000])
    monkeypatch.setattr(prnn, "loss", lambda *_: next(losses))
    options = {"n_iters": 5000, "patience": patience, "seed": 0}
    _, iterations = prnn.train(activity, labels, 9, options, data(seed=1))
    first = min(prnn.CHECK, patience)  # the look that was the best
    assert iterations == first + patience


def test_the_weights_kept_are_those_of_the_best_held_out_loss():
    activity, labels = data()
    held = data(seed=1)  # noise: the first looks are the best
    options = {"n_iters": 2000, "patience": 20, "seed": 0}
    weights, iterations = prnn.train(activity, labels, 9, options, held)
    further, _ = prnn.train(activity, labels, 9, options | {"n_iters": iterations, "patience": 0})
    assert prnn.loss(*held, weights) <= prnn.loss(*held, further)
    assert iterations < 2000


def test_it_names_any_tile_of_the_world_and_learns_a_one_hot_position():
    episode, position, activity = walks(12)
    train, test = splits.folds(episode, 4)[0]
    known = fitting.Data(activity.astype(np.float32), position, episode, (5, 5)).at(train)
    options = {"n_iters": 1500, "patience": 500, "seed": 0}
    found = fitting.fit(("prnn",), ["layer"], known, options, 25)["prnn"]
    assert len(found.tiles) == 25 and not found.bias.any() and (found.scale == 1).all()
    guess = decoders.apply(found, activity[test].astype(np.float32))
    assert errors.hit(guess.point, position[test]).mean() > 0.9
    own = errors.columns(guess.tiles, position[test])
    assert (own >= 0).all()
