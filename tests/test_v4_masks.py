"""Who sees whom in DreamerV4: truth tables, and what they mean for the networks.

Each claim is a check that must also fail as soon as its mask is flipped.
"""

import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v4 import dynamics, masks
from tests import mask_checks_v4 as checks
from tests import tiny_v4, toy_v4


def test_patches_see_patches_and_latents_see_everything():
    expected = [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    np.testing.assert_array_equal(masks.encoder(2, 1), np.array(expected, bool))


def test_decoder_latents_see_latents_and_readouts_see_everything():
    expected = [[1, 0, 0], [1, 1, 1], [1, 1, 1]]
    np.testing.assert_array_equal(masks.decoder(1, 2), np.array(expected, bool))


def test_only_the_agent_sees_the_agent():
    slots = tiny_v4.config().slots
    mask = np.asarray(masks.space(slots, agent=True))
    assert mask[-1].all() and mask[:-1, :-1].all() and not mask[:-1, -1].any()
    assert masks.space(slots, agent=False).shape == (len(mask) - 1,) * 2


def test_a_frame_sees_itself_and_the_frames_of_its_window():
    expected = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    np.testing.assert_array_equal(masks.time(4, 2)[0], np.array(expected, bool))


def test_a_frame_sees_its_own_segment_and_an_image_row_only_itself():
    segment, rows = np.array([[0, 0, 1], [0, 0, 1]]), np.array([False, True])
    seen = masks.time(3, 3, segment, rows)
    np.testing.assert_array_equal(seen[0], np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], bool))
    np.testing.assert_array_equal(seen[1], np.eye(3, dtype=bool))


FLIPS = {
    checks.patches_ignore_latents: "encoder",
    checks.latents_ignore_readouts: "decoder",
    checks.encoding_is_causal: "time",
    checks.decoding_is_causal: "time",
    checks.encoding_forgets_beyond_its_reach: "time",
    checks.dynamics_is_causal: "time",
    checks.dynamics_sees_its_window: "time",
    checks.image_rows_are_single_images: "time",
    checks.segments_are_apart: "time",
    checks.the_agent_is_not_seen: "space",
}


@pytest.mark.parametrize("check", FLIPS, ids=lambda check: check.__name__)
def test_what_a_mask_forbids_does_not_happen(check):
    check()


@pytest.mark.parametrize("check", FLIPS, ids=lambda check: check.__name__)
def test_a_flipped_mask_is_noticed(check, monkeypatch):
    name = FLIPS[check]
    right = getattr(masks, name)
    flipped = lambda *args, **more: jnp.swapaxes(right(*args, **more), -1, -2)  # noqa: E731
    monkeypatch.setattr(masks, name, flipped)
    with pytest.raises(AssertionError):
        check()


# Less than a whole flip is noticed too.
NARROW = {
    checks.dynamics_sees_its_window: lambda right: (
        lambda n, window, *rest: right(n, window + 1, *rest)
    ),
    checks.encoding_forgets_beyond_its_reach: lambda right: lambda n, window: right(n, window + 1),
    checks.image_rows_are_single_images: lambda right: lambda n, window, *rest: right(n, window),
    checks.segments_are_apart: lambda right: lambda n, window, *rest: right(n, window),
}


@pytest.mark.parametrize("check", NARROW, ids=lambda check: check.__name__)
def test_a_mask_that_is_a_little_too_wide_is_noticed(check, monkeypatch):
    monkeypatch.setattr(masks, "time", NARROW[check](masks.time))
    with pytest.raises(AssertionError):
        check()


def test_more_time_layers_reach_farther():
    config = tiny_v4.config(dyn__layers="TT", dyn__window=2, imag__context=2)
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    one = checks.predictions(config, values, given)
    two = checks.predictions(config, values, tiny_v4.changed(given, "z", 0, config))
    reached = np.abs(one - two).max((0, 2, 3)) > 1e-6
    np.testing.assert_array_equal(reached, [True, True, True, False, False])  # 2 (C - 1) frames


def test_every_task_has_its_own_agent_and_the_same_world():
    config = tiny_v4.config(toy_v4.DISCRETE, head__tasks=2)
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    (one, h), (two, h_two) = (dynamics.forward(values, config, **given, task=t) for t in (0, 1))
    np.testing.assert_array_equal(one, two)
    assert np.abs(h - h_two).max() > 1e-3
    mixed = dynamics.forward(values, config, **given, task=np.array([0, 1, 0]))[1]
    np.testing.assert_allclose(mixed[1], h_two[1], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mixed[2], h[2], rtol=1e-5, atol=1e-5)
