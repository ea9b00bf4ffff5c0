"""The solver finds the minimum that scipy finds, and says when it did not."""

import numpy as np
from scipy.optimize import minimize

from analysis import lbfgs, robust


def quadratic(size=30, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    matrix, target = root @ root.T / size + 0.1 * np.eye(size), rng.normal(size=size)

    def objective(x):
        gap = matrix @ (x - target)
        return float((x - target) @ gap / 2), gap.astype(np.float32)

    return objective, target


def test_a_quadratic_is_solved_to_the_tolerance():
    objective, target = quadratic()
    found, solved = lbfgs.minimise(objective, np.zeros(30), 1e-4, 500)
    assert solved and found.dtype == np.float32
    assert np.abs(objective(found)[1]).max() <= 1e-4
    np.testing.assert_allclose(found, target, atol=5e-3)


def test_too_few_steps_are_said():
    assert not lbfgs.minimise(quadratic()[0], np.zeros(30), 1e-4, 2)[1]


def test_a_start_at_the_minimum_stays_there():
    objective, target = quadratic()
    found, solved = lbfgs.minimise(objective, target, 1e-3, 500)
    assert solved
    np.testing.assert_array_equal(found, target.astype(np.float32))


def test_classifiers_agree_with_scipys_double_precision():
    rng = np.random.default_rng(0)
    rotated = (rng.normal(size=(200, 6)) * np.linspace(0.2, 3, 6)).astype(np.float32)
    labels, strength = rng.integers(0, 5, 200), 0.03
    found, solved = robust.solve(rotated, rotated.var(0), labels, 5, strength, 1e-5)

    def objective(flat):
        weights = flat.reshape(7, 5)
        logits = rotated @ weights[:-1] + weights[-1]
        top = logits.max(1, keepdims=True)
        norm = np.log(np.exp(logits - top).sum(1)) + top[:, 0]
        return (norm - logits[range(200), labels]).mean() + strength / 2 * (weights[:-1] ** 2).sum()

    theirs = minimize(objective, np.zeros(35), method="BFGS", options={"gtol": 1e-6})
    assert solved
    np.testing.assert_allclose(objective(found.ravel()), theirs.fun, rtol=1e-6)
    np.testing.assert_allclose(found[:-1], theirs.x.reshape(7, 5)[:-1], atol=2e-3)
