"""The world model as its evaluation asks it: latents of images, futures, and what they look like.

Evaluations ask only the methods of `Foresight`, so that a model whose answers are known can stand
in for it. In the shapes, B is clips, C frames before, H foreseen ones, S spatial tokens of D
channels.
"""

from functools import partial

import jax
import jax.numpy as jnp

from dreamer.v4 import draws, dynamics, imagination, latents, shortcut, tokenizer


class Foresight:
    """A DreamerV4's `params`, each question compiled once per shape."""

    def __init__(self, params):
        self.values, self.config = params.values, params.config

    def latents(self, images):
        """Standardised latents [B, T, S, D] of uint8 images [B, T, H, W, 3]."""
        return _latents(self.values, self.config, images)

    def pictures(self, z):
        """Images [B, T, h, w, 3] from 0 to 1, without what the crop cuts off."""
        return _pictures(self.values, self.config, z)

    def truth(self, images):
        """uint8 images cropped as the model sees them, from 0 to 1."""
        return tokenizer.pixels(self.config, images)

    def future(self, past, actions, keys, horizon, rungs=None, blind=False):
        """{z [B, H, S, D], action [B, H, ...], reward, go_on [B, H]} after `past`.

        past: (z [B, C, S, D], action, known: [B, C, ...] that led to each). The policy acts where
        `actions` [B, H, ...] is None; `blind`: the model is not told them.
        """
        rungs = rungs or self.config.dyn.rungs
        return _future(self.values, self.config, past, actions, keys, horizon, rungs, blind)

    def clean(self, z, action, known, keys, level, step):
        """(prediction, noised) [B, S, D] of the last of z [B, T, S, D], the others in the past.

        It is noised to level / kmax and predicted for a step of 2**-step, two whole numbers.
        """
        return _clean(self.values, self.config, z, action, known, keys, level, step)

    def bootstrap(self, z, action, known, keys, level, step):
        """Mean squared distance [B, 2] to where two half steps lead: of that prediction, and of the
        finest step's, which is what there is without shortcuts."""
        return _bootstrap(self.values, self.config, z, action, known, keys, level, step)

    def told(self, z, action, known, keys):
        """(reward, go_on) [B, T] that the heads expect on seeing frames z [B, T, S, D]."""
        return _told(self.values, self.config, z, action, known, keys)


@partial(jax.jit, static_argnums=1)
def _latents(values, config, images):
    return latents.pack(values, config, tokenizer.encode(values, config, images))


@partial(jax.jit, static_argnums=1)
def _pictures(values, config, z):
    return jnp.clip(tokenizer.decode(values, config, latents.unpack(values, config, z)), 0, 1)


@partial(jax.jit, static_argnums=(1, 5, 6, 7))
def _future(values, config, past, actions, keys, horizon, rungs, blind):
    z, action, known = past
    seen, dream = draws.split(keys, 2)
    noised = shortcut.noise_context(config, z, seen)
    frames = imagination.Frame(noised, action, known, jnp.ones_like(known))
    cache, h = imagination.recall(values, config, frames)
    config = config._replace(dyn=config.dyn._replace(rungs=rungs))
    found, _ = imagination.rollout(
        values, config, cache, h, dream, horizon, actions, world=_untold if blind else None
    )
    expected = imagination.outcomes(values, config, found["h"])
    return {"z": found["z"], "action": found["action"]} | expected


def _untold(values, config, cache, action, keys):
    """`imagination.generated` without the action."""
    dream, noise = draws.split(keys, 2)
    unknown = jnp.zeros(len(keys), bool)
    z = shortcut.generate(values, config, cache, action, unknown, dream)
    noised = shortcut.noise_context(config, z, noise)
    frame = imagination.Frame(noised, action, unknown, ~unknown)
    return *imagination.commit(values, config, cache, frame), z, frame


def _asked(config, z, keys, level, step):
    """Noised z, levels and steps [B, T]: those of past frames, but for the last."""
    last = jnp.arange(z.shape[1]) == z.shape[1] - 1
    level = jnp.where(last, level, config.context) * jnp.ones((len(z), 1), jnp.int32)
    step = jnp.where(last, step, config.finest) * jnp.ones((len(z), 1), jnp.int32)
    noise = draws.normal(keys, z.shape[1:])
    return shortcut.corrupt(z, noise, level / config.dyn.kmax), level, step


@partial(jax.jit, static_argnums=1)
def _clean(values, config, z, action, known, keys, level, step):
    noised, level, step = _asked(config, z, keys, level, step)
    found, _ = dynamics.forward(values, config, noised, level, step, action, known, agent=False)
    return found[:, -1], noised[:, -1]


@partial(jax.jit, static_argnums=1)
def _bootstrap(values, config, z, action, known, keys, level, step):
    noised, level, step = _asked(config, z, keys, level, step)

    def model(z, level, step):
        return dynamics.forward(values, config, z, level, step, action, known, agent=False)[0]

    goal = shortcut.bootstrap(model, noised, level, step, config.dyn.kmax, config.finest)
    finest = jnp.full_like(step, config.finest)
    told = jnp.stack([model(noised, level, label)[:, -1] for label in (step, finest)], 1)
    return jnp.square(told - goal[:, None, -1]).mean((-2, -1))


@partial(jax.jit, static_argnums=1)
def _told(values, config, z, action, known, keys):
    noised = shortcut.noise_context(config, z, keys)
    level, step = (jnp.full(known.shape, at, jnp.int32) for at in (config.context, config.finest))
    _, h = dynamics.forward(values, config, noised, level, step, action, known)
    h = jnp.concatenate([h[:, :1], h], 1)  # `outcomes` leaves out the first state
    found = imagination.outcomes(values, config, h)
    return found["reward"], found["go_on"]
