"""What the masks of DreamerV4 mean for its networks: what one forbids does not happen, what it
allows does. Each check fails by an AssertionError, which tests make use of by flipping the mask."""

import numpy as np

from dreamer.v4 import cache, dynamics, masks, tokenizer, transformer
from tests import tiny_v4


def tapped(found, name):
    return [np.asarray(found[tap]) for tap in sorted(found) if tap.endswith(name)]


def patches_ignore_latents():
    """Other latent tokens leave the patches of all layers as they are, and change z."""
    config = tiny_v4.config()
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    other = values | {"tok/enc/latent": values["tok/enc/latent"] + 1}
    z, before = tokenizer.encode(values, config, images, taps=True)
    z_other, after = tokenizer.encode(other, config, images, taps=True)
    for one, two in zip(tapped(before, "/patch"), tapped(after, "/patch"), strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.abs(z - z_other).max() > 1e-3


def latents_ignore_readouts():
    """Without reading out, layers of the decoder treat the latents the same."""
    config = tiny_v4.config(tok__decoder="SS")
    values = tiny_v4.values(config)
    stack, rng = tokenizer.stacks(config)[1], np.random.default_rng(0)
    x = rng.normal(size=(1, 1, config.tok.latents + config.patches, config.tok.width))
    x, other = x.astype(np.float32), x.astype(np.float32)
    other[:, :, config.tok.latents :] += 1
    space = masks.decoder(config.tok.latents, config.patches)
    one, two = (
        np.asarray(transformer.run(values, "tok/dec", stack, y, space, None)[-1])
        for y in (x, other)
    )
    count = config.tok.latents
    np.testing.assert_array_equal(one[:, :, :count], two[:, :, :count])
    assert np.abs(one - two).max() > 1e-3


def encoding_is_causal():
    """Frames after t do not reach z of t; frame t does."""
    config = tiny_v4.config()
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    other = images.copy()
    other[:, 3:] = 255 - other[:, 3:]
    one, two = (np.asarray(tokenizer.encode(values, config, x)) for x in (images, other))
    np.testing.assert_array_equal(one[:, :3], two[:, :3])
    assert (np.abs(one - two)[:, 3:].max((0, 2, 3)) > 1e-3).all()


def decoding_is_causal():
    """Latents after t do not reach the image of t; those of t do."""
    config = tiny_v4.config()
    values, rng = tiny_v4.values(config), np.random.default_rng(0)
    z = rng.uniform(-1, 1, (tiny_v4.ROWS, 5, config.tok.latents, config.tok.channels)).astype(
        np.float32
    )
    other = z.copy()
    other[:, 3:] *= -1
    one, two = (np.asarray(tokenizer.decode(values, config, x)) for x in (z, other))
    np.testing.assert_array_equal(one[:, :3], two[:, :3])
    assert (np.abs(one - two)[:, 3:].max((0, 2, 3, 4)) > 1e-3).all()


def encoding_forgets_beyond_its_reach():
    """With one time layer of window 3 a frame reaches two frames ahead, no farther."""
    config = tiny_v4.config(tok__window=3)
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    other = images.copy()
    other[:, 0] = 255 - other[:, 0]
    one, two = (np.asarray(tokenizer.encode(values, config, x)) for x in (images, other))
    np.testing.assert_array_equal(one[:, 3:], two[:, 3:])
    assert (np.abs(one - two)[:, :3].max((0, 2, 3)) > 1e-5).all()


def predictions(config, values, given, **more):
    return np.asarray(dynamics.forward(values, config, **given, **more)[0])


def dynamics_is_causal():
    """No argument of a later frame reaches the prediction of an earlier one; its own does."""
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    one = predictions(config, values, given)
    for name in given:
        two = predictions(config, values, tiny_v4.changed(given, name, slice(3, None), config))
        np.testing.assert_array_equal(one[:, :3], two[:, :3], err_msg=name)
        assert (np.abs(one - two)[:, 3].max((1, 2)) > 1e-5).all(), name


def dynamics_sees_its_window():
    """With one time layer of window 3 frame 1 reaches frame 3 and not frame 4."""
    config = tiny_v4.config(dyn__window=3, imag__context=3)
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    one = predictions(config, values, given)
    two = predictions(config, values, tiny_v4.changed(given, "z", 1, config))
    np.testing.assert_array_equal(one[:, 4:], two[:, 4:])
    assert np.abs(one - two)[:, 3].max() > 1e-5


def image_rows_are_single_images():
    """In an image row no frame reaches another one, and actions reach none."""
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    row = np.array([True, False, False])
    one = predictions(config, values, given, image_row=row)
    two = predictions(config, values, tiny_v4.changed(given, "z", 1, config), image_row=row)
    moved = np.abs(one - two).max((2, 3)) > 1e-5
    np.testing.assert_array_equal(moved[:2], [[0, 1, 0, 0, 0], [0, 1, 1, 1, 1]])
    acted = tiny_v4.changed(given, "action", slice(None), config)
    three = predictions(config, values, acted, image_row=row)
    np.testing.assert_array_equal(one[0], three[0])
    assert np.abs(one - three)[1].max() > 1e-5


def segments_are_apart():
    """Nothing crosses the border between two episodes, and within one all goes on."""
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    segment = np.array([[0, 0, 1, 1, 1]] * tiny_v4.ROWS)
    one = predictions(config, values, given, segment=segment)
    two = predictions(config, values, tiny_v4.changed(given, "z", 0, config), segment=segment)
    np.testing.assert_array_equal(one[:, 2:], two[:, 2:])
    assert (np.abs(one - two)[:, :2].max((0, 2, 3)) > 1e-5).all()


def the_agent_is_not_seen():
    """No agent's token reaches any other slot of any layer, cached or not, bit for bit."""
    config = tiny_v4.config()
    values, given = tiny_v4.values(config), tiny_v4.frames(config, 5)
    other = values | {"dyn/agent/base": values["dyn/agent/base"] + 1}
    runs = [dynamics.forward(x, config, **given, taps=True) for x in (values, other)]
    first = {name: x[:, 0] for name, x in given.items()}
    empty = cache.start(config, tiny_v4.ROWS)
    steps = [cache.step(x, config, empty, **first, taps=True) for x in (values, other)]
    for one, two in (runs, steps):
        np.testing.assert_array_equal(one[0], two[0])
        assert np.abs(one[1] - two[1]).max() > 1e-3
        for name in one[-1]:
            same = np.array_equal(one[-1][name], two[-1][name])
            assert same != name.endswith("/agent"), name
