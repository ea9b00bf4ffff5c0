"""Shortcuts that a small network learns, on a line with the two points -1 and 1."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dreamer.v4 import draws, shortcut
from tests import tiny_v4

KEY = jax.random.key(0)


def toy(p, z, level, step):
    """A small network on z [N, 1, 1, 1], labels [N, 1]."""
    labels = jax.nn.one_hot(level, 8), jax.nn.one_hot(step, 4)
    h = jnp.concatenate([z[..., 0], *labels], -1)
    h = jnp.tanh(h @ p["in"] + p["bias"])
    return (jnp.tanh(h @ p["middle"]) @ p["out"])[..., None]


def toy_loss(p, config, key, share):
    """Flow error, and with a share of coarse steps the bootstrap error."""
    keys = draws.split(draws.rows(key, 256), 3)
    level, step = shortcut.labels(config, keys[0], 1)
    step = jnp.where(share, step, 3)
    level = jnp.where(share, level, jnp.floor(draws.uniform(keys[2], (1,)) * 8).astype(int))
    data = jnp.sign(draws.normal(keys[2], (1, 1, 1)))
    z = shortcut.corrupt(data, draws.normal(keys[1], (1, 1, 1)), level / 8)
    taught = shortcut.bootstrap(lambda *a: toy(p, *a), z, level, step, 8, 3)
    target = jnp.where((step == 3)[..., None, None], data, jax.lax.stop_gradient(taught))
    return jnp.square(toy(p, z, level, step) - target).mean()


@partial(jax.jit, static_argnums=(1, 2))
def toy_trained(p, config, share):
    rule = optax.adam(3e-3)

    def update(carry, index):
        p, state = carry
        slope = jax.grad(toy_loss)(p, config, jax.random.fold_in(KEY, index), share)
        changes, state = rule.update(slope, state)
        return (optax.apply_updates(p, changes), state), None

    return jax.lax.scan(update, (p, rule.init(p)), jnp.arange(3000))[0][0]


@pytest.mark.slow
def test_learned_shortcuts_are_consistent_and_beat_one_step_of_the_flow():
    config = tiny_v4.config(dyn__kmax=8, dyn__p_flow=0.5, dyn__context_level=0.5)
    rng = np.random.default_rng(0)
    shapes = {"in": (13, 64), "bias": (64,), "middle": (64, 64), "out": (64, 1)}
    fresh = {
        name: jnp.float32(rng.normal(size=shape) / np.sqrt(shape[0]))
        for name, shape in shapes.items()
    }
    noise = jnp.asarray(rng.normal(size=(1000, 1, 1, 1)), jnp.float32)

    def ends(p, rungs):
        def model(z, level, step):
            return toy(p, z, *(jnp.full((len(z), 1), index) for index in (level, step)))

        return shortcut.sample(model, noise, rungs, 8)

    def off(z):
        return float(jnp.abs(jnp.abs(z) - 1).mean())

    short, flow = (toy_trained(fresh, config, share) for share in (True, False))
    gap = [float(jnp.abs(ends(p, 1) - ends(p, 2)).mean()) for p in (flow, short)]
    assert gap[1] < 0.5 * gap[0] and gap[1] < 0.2  # steps are about one long
    assert off(ends(short, 1)) < 0.5 * off(ends(flow, 1))
