"""AdamW of all phases: warm-up, cosine, decay of matrices alone, rates per group of parameters."""

import jax.numpy as jnp
import optax

BETAS = (0.9, 0.95)


def build(options, factors=None):
    """optax transformation for a block's lr, lr_end, warmup, updates, wd and clip.

    factors: {start of a parameter's name: factor of its rate}, 1 where none fits.
    """
    return optax.chain(
        optax.clip_by_global_norm(options.clip),
        optax.scale_by_adam(*BETAS),
        optax.add_decayed_weights(options.wd, mask=_matrices),
        _rates(factors or {}),
        optax.scale_by_learning_rate(lambda count: learning_rate(options, count)),
    )


def learning_rate(options, count):
    """Rate of update `count` (from 0): up linearly to lr, then along a cosine to lr_end."""
    grown = (count + 1) / max(options.warmup, 1)
    done = (count - options.warmup) / max(options.updates - options.warmup, 1)
    falling = (1 + jnp.cos(jnp.pi * jnp.clip(done, 0, 1))) / 2
    fallen = options.lr_end + (options.lr - options.lr_end) * falling
    return jnp.where(count < options.warmup, options.lr * grown, fallen)


def _matrices(parameters):
    return {name: name.endswith("/kernel") for name in parameters}


def _rates(factors):
    def factor(name):
        return next((value for start, value in factors.items() if name.startswith(start)), 1.0)

    def update(updates, _):
        return {name: factor(name) * value for name, value in updates.items()}

    return optax.stateless(update) if factors else optax.identity()
