"""The tokenizer of DreamerV4: patches, hiding, the bottleneck, streaming, and that it learns."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dreamer import nets
from dreamer.v4 import draws, health, latents, optimizer, perceptual, tokenizer
from tests import tiny_v4

KEY = jax.random.key(0)


@pytest.mark.parametrize(("rows", "columns", "patch"), [(1, 1, 1), (3, 2, 4), (2, 3, 1)])
def test_patches_and_back_is_the_image(rows, columns, patch):
    config = tiny_v4.config()
    image = rows * patch, columns * patch, 3
    config = config._replace(tok=config.tok._replace(patch=patch), image=image)
    x = np.random.default_rng(0).random((2, *image), np.float32)
    found = tokenizer.patches(config, x)
    assert found.shape == (2, rows * columns, 3 * patch**2)
    np.testing.assert_array_equal(tokenizer.unpatch(config, found), x)


def test_a_patch_holds_the_pixels_of_its_place():
    config = tiny_v4.config()
    x = np.zeros((16, 16, 3))
    x[8:12, 4:8] = 1
    lit = np.asarray(tokenizer.patches(config, x)).min(-1)
    np.testing.assert_array_equal(lit.reshape(config.grid), np.eye(4)[[2]].T @ np.eye(4)[[1]])


def test_packing_latents_joins_neighbours_and_can_be_undone():
    config = tiny_v4.config()
    values = tiny_v4.values(config)
    z = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8)).astype(np.float32)
    packed = latents.pack(values, config, z)
    assert packed.shape == (2, 4, 16)
    np.testing.assert_allclose(latents.unpack(values, config, packed), z, rtol=1e-5, atol=1e-6)
    plain = tiny_v4.config(dyn__standardise=False)
    np.testing.assert_array_equal(latents.pack(values, plain, z)[0, 1], z[0, 2:4].ravel())


def test_the_scale_makes_latents_standard_but_blows_up_no_dead_channel():
    rng, std = np.random.default_rng(0), np.full((2, 3), 0.3)
    std[0, 0] = 0.004
    z = 0.2 + std * rng.normal(size=(5000, 2, 3))
    scale = latents.statistics(z)
    found = (z - scale["scale/mean"]) / scale["scale/std"]
    np.testing.assert_allclose(found.std(0).ravel()[1:], 1, rtol=1e-3)
    assert found.std(0)[0, 0] == pytest.approx(0.13, abs=0.01)


def test_hidden_shares_are_uniform_and_independent():
    config = tiny_v4.config(tok__mask=0.9, tok__patch=1)
    hidden = np.asarray(tokenizer.hide(config, draws.rows(KEY, 2000), 2)).mean(-1)
    assert hidden.mean() == pytest.approx(0.45, abs=0.02)
    assert hidden.max() < 0.97 and hidden.min() < 0.02  # 256 patches of a share below 0.9
    np.testing.assert_allclose(np.quantile(hidden, [0.25, 0.75]), [0.225, 0.675], atol=0.02)
    assert abs(np.corrcoef(hidden.T)[0, 1]) < 0.06


def test_what_hidden_patches_show_does_not_matter_and_what_others_show_does():
    config = tiny_v4.config()
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    drop = np.zeros((tiny_v4.ROWS, 5, config.patches), bool)
    plain = tokenizer.encode(values, config, images)
    np.testing.assert_array_equal(plain, tokenizer.encode(values, config, images, drop))
    drop[:, :, 0] = True
    inside, outside = images.copy(), images.copy()
    inside[:, :, :4, :4] = 0
    outside[:, :, :4, 4:8] = 0
    hidden = tokenizer.encode(values, config, images, drop)
    np.testing.assert_array_equal(hidden, tokenizer.encode(values, config, inside, drop))
    assert np.abs(hidden - tokenizer.encode(values, config, outside, drop)).max() > 1e-4


def test_latents_are_bounded_and_taps_change_nothing():
    config = tiny_v4.config()
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    z, taps = tokenizer.encode(values, config, images, taps=True)
    assert (np.abs(z) < 1).all()
    np.testing.assert_array_equal(z, tokenizer.encode(values, config, images))
    np.testing.assert_array_equal(z, jnp.tanh(taps["tok/z_pre"]))
    assert taps["enc/L2/patch"].shape == (3, 5, 16, 32) and "enc/L3/patch" not in taps


@pytest.mark.parametrize("encoder", ["ST", "TSS", "SS"])
def test_images_one_by_one_give_the_latents_of_the_clip(encoder):
    config = tiny_v4.config(tok__encoder=encoder, tok__window=3)
    values, images = tiny_v4.values(config), tiny_v4.images(config, 5)
    step = jax.jit(tokenizer.encode_step, static_argnums=1)
    memory = tokenizer.start_memory(config, tiny_v4.ROWS)
    whole = np.asarray(tokenizer.encode(values, config, images))
    anew = np.asarray(tokenizer.encode(values, config, images[:1, 3:]))
    for t in range(5):  # row 0 begins anew at frame 3
        first = np.array([t in (0, 3), t == 0, t == 0])
        memory, z = step(values, config, memory, images[:, t], first)
        np.testing.assert_allclose(z[1:], whole[1:, t], atol=2e-5)
        wanted = whole[0, t] if t < 3 else anew[0, t - 3]
        np.testing.assert_allclose(z[0], wanted, atol=2e-5)


def test_only_weighted_terms_are_computed():
    config = tiny_v4.config(tok__ssim=0.1, tok__gradient=0.2)
    assert tokenizer.weights(config) == {"mse": 1.0, "gradient": 0.2, "ssim": 0.1}
    found = tokenizer.loss(tiny_v4.values(config), config, tiny_v4.images(config, 5), KEY)
    assert set(found) == {"mse", "gradient", "ssim"}


def test_a_cropped_image_is_shown_at_its_observed_size():
    config = tiny_v4.config(tok__crop=1, tok__patch=5)
    assert config.image == (15, 15, 3) and config.grid == (3, 3)
    shown = tokenizer.display(config, np.full((2, 15, 15, 3), 0.5))
    assert shown.shape == (2, 16, 16, 3) and not shown[:, 15].any()
    assert (shown[:, :15, :15] == 128).all()


@pytest.mark.parametrize("name", ["gradient", "multiscale", "ssim"])
def test_differences_of_images_are_zero_for_equal_ones_and_grow(name):
    rng = np.random.default_rng(0)
    x, noise = rng.random((2, 16, 16, 3)), rng.normal(size=(2, 16, 16, 3))
    found = [float(getattr(perceptual, name)(x + scale * noise, x)) for scale in (0, 0.1, 0.3)]
    assert found[0] == pytest.approx(0, abs=1e-5) and found[0] < found[1] < found[2]


def test_psnr_is_that_of_a_known_error():
    x = np.zeros((4, 4, 3))
    assert float(perceptual.psnr(x + 0.1, x)) == pytest.approx(20, abs=1e-4)


def test_rank_and_cosine_tell_collapsed_latents():
    rng = np.random.default_rng(0)
    alive, dead = rng.normal(size=(4000, 8)), 1 + 1e-3 * rng.normal(size=(4000, 8))
    assert float(health.rank(alive)) == pytest.approx(8, rel=0.01)
    assert float(health.rank(alive[:, :1] * np.ones((1, 8)))) == pytest.approx(1, abs=1e-2)
    assert abs(float(health.cosine(alive))) < 0.01 and float(health.cosine(dead)) > 0.99


@pytest.mark.slow
def test_a_tokenizer_learns_eight_images_by_heart():
    config = tiny_v4.config(tok__encoder="SS", tok__decoder="SS", tok__latents=16,
                            tok__warmup=50, tok__updates=1000)  # fmt: skip
    values = nets.init(tokenizer.shapes(config), KEY)
    images = np.repeat(np.repeat(tiny_v4.images(config, 1, rows=8)[:, :, ::4, ::4], 4, 2), 4, 3)
    target, rule = tokenizer.pixels(config, images), optimizer.build(config.tok)

    def error(values):
        found = tokenizer.decode(values, config, tokenizer.encode(values, config, images))
        return jnp.square(found - target).mean()

    def update(carry, _):
        values, state = carry
        changes, state = rule.update(jax.grad(error)(values), state, values)
        return (optax.apply_updates(values, changes), state), None

    start = values, rule.init(values)
    (values, _), _ = jax.jit(lambda carry: jax.lax.scan(update, carry, length=1000))(start)
    found = health.report(values, config, images, {"top": (slice(0, 8), slice(None))})
    assert found["psnr/mean_image/top"] < found["psnr/top"]
    assert found["psnr"] > 30 and found["psnr/top"] > 25
    assert found["psnr"] - found["psnr/shuffled"] > 5 and found["rank"] > 2
