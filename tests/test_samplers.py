"""Samplers: which windows are drawn, how often, and which fresh ones come first."""

import numpy as np
import pytest
from scipy import stats

from dreamer import options, samplers

ENVS, WINDOW = 3, 5


def make(name, kept=50, **more):
    """A sampler of few environments; more settings as the option `replay` has them."""
    changes = {"replay.sampler": name, **{f"replay.{key}": value for key, value in more.items()}}
    return samplers.make(ENVS, WINDOW, kept, options.resolve((), changes)["replay"])


@pytest.mark.parametrize("oldest, end", [(0, 5), (0, 30), (17, 41)])
def test_uniform_draws_every_whole_window_equally_often(oldest, end):
    sampler = make("uniform")
    sampler.keep(oldest, end)
    draws = sampler.draw(np.random.default_rng(0), 20_000)
    starts = np.arange(oldest, end - WINDOW + 1)
    cells = [(env, start) for env in range(ENVS) for start in starts]
    counts = [int((draws == cell).all(1).sum()) for cell in cells]
    assert sum(counts) == 20_000 and stats.chisquare(counts).pvalue > 0.001


def test_equal_generators_give_equal_draws():
    sampler = make("uniform")
    sampler.keep(0, 100)
    draws = [sampler.draw(np.random.default_rng([7, 3]), 16) for _ in range(2)]
    np.testing.assert_array_equal(*draws)


def test_fresh_windows_tile_every_environment_once_in_order_of_completion():
    fresh, served = samplers.Fresh(ENVS, WINDOW), []
    for end in range(1, 33):
        served += fresh.take(2, 0, end).tolist()
        assert all(start + WINDOW <= end for _, start in served)
    served += fresh.take(100, 0, 32).tolist()
    whole = range(0, 32 - WINDOW + 1, WINDOW)
    assert served == [[env, start] for start in whole for env in range(ENVS)]


def test_fresh_windows_that_are_no_longer_kept_are_passed_over():
    fresh = samplers.Fresh(ENVS, WINDOW)
    assert fresh.take(9, 7, 23).tolist() == [[env, start] for start in (10, 15) for env in range(3)]
