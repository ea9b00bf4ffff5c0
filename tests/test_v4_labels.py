"""The law of signal levels and steps: frequencies, grid, independence."""

import jax
import numpy as np
import pytest

from dreamer.v4 import draws, shortcut
from tests import tiny_v4

KEY = jax.random.key(0)
FRAMES = 400_000

# kmax, p_flow: P(finest step), P(tau = 0), E tau, E ramp, P(tau = 1/2), P(3/4), P(7/8), P(last)
PAPER = {
    (8, 0.0): (0.2500, 0.4688, 0.2656, 0.3391, 0.2188, 0.0938, 0.0312, 0.0312),
    (16, 0.0): (0.2000, 0.3875, 0.3063, 0.3756, 0.1875, 0.0875, 0.0375, 0.0125),
    (64, 0.0): (0.1429, 0.2835, 0.3583, 0.4224, 0.1406, 0.0692, 0.0335, 0.0022),
}
# kmax, p_flow: P(tau = 0), P(7/8), E tau, E ramp
TILTED = {
    (8, 0.6): (0.3083, 0.0750, 0.3458, 0.4113),
    (8, 0.75): (0.2396, 0.0938, 0.3802, 0.4422),
    (16, 0.6): (0.2250, 0.0500, 0.3875, 0.4487),
    (64, 0.6): (0.1406, 0.0240, 0.4297, 0.4867),
}


def drawn(kmax, p_flow):
    """Signal levels and step indices of many frames, and the Config."""
    config = tiny_v4.config(dyn__kmax=kmax, dyn__p_flow=p_flow, dyn__context_level=0.5)
    level, step = shortcut.labels(config, draws.rows(KEY, 4), FRAMES // 4)
    return np.asarray(level).ravel() / kmax, np.asarray(step).ravel(), config


@pytest.mark.parametrize("law", PAPER, ids=str)
def test_labels_follow_the_papers_law(law):
    tau, step, config = drawn(*law)
    likely = [(tau == at).mean() for at in (0, 0.5, 0.75, 0.875, 1 - 1 / config.dyn.kmax)]
    found = [(step == config.finest).mean(), likely[0], tau.mean(), shortcut.ramp(tau).mean()]
    np.testing.assert_allclose(found + likely[1:], PAPER[law], atol=0.003)


@pytest.mark.parametrize("law", TILTED, ids=str)
def test_labels_follow_a_law_tilted_to_the_finest_step(law):
    tau, step, config = drawn(*law)
    found = (tau == 0).mean(), (tau == 0.875).mean(), tau.mean(), shortcut.ramp(tau).mean()
    np.testing.assert_allclose(found, TILTED[law], atol=0.003)
    assert (step == config.finest).mean() == pytest.approx(law[1], abs=0.003)


def test_levels_lie_on_the_grid_of_their_step():
    tau, step, config = drawn(16, 0.0)
    steps = tau * 2.0**step
    np.testing.assert_array_equal(steps, np.round(steps))
    assert (tau + 2.0**-step <= 1).all() and set(step) == set(range(config.finest + 1))


def test_every_frame_draws_its_own_label():
    config = tiny_v4.config(dyn__kmax=8, dyn__context_level=0.5)
    level, step = shortcut.labels(config, draws.rows(KEY, 50_000), 2)
    for found in (np.asarray(level), np.asarray(step)):
        assert abs(np.corrcoef(found.T)[0, 1]) < 0.02
