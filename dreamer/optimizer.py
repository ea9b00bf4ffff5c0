"""LaProp with adaptive clipping and a linear warm-up: one optimiser for every parameter."""

import jax
import jax.numpy as jnp
import optax


def build(options):
    """The optax transformation for the options `opt`: lr, agc, pmin, beta1, beta2, eps, warmup, wd.

    Gradients are clipped, scaled by their RMS, averaged over time, and decayed, in this order.
    The averages are one long vector each: many small tensors are slow to compile and to update.
    """
    rms = optax.scale_by_rms(options.beta2, options.eps, eps_in_sqrt=False, bias_correction=True)
    return optax.chain(
        clip(options.agc, options.pmin),
        optax.flatten(optax.chain(rms, optax.ema(options.beta1))),
        optax.add_decayed_weights(options.wd, mask=_kernels),
        optax.scale_by_learning_rate(lambda count: learning_rate(options, count)),
    )


def learning_rate(options, count):
    """Rate of update `count` (from 0): it grows linearly over the warm-up, starting at 0."""
    grown = count / options.warmup if options.warmup else 1.0
    return options.lr * jnp.minimum(1.0, grown)


def clip(limit, least):
    """Limit each tensor's gradient norm to `limit` times its weights' norm (at least `least`).

    optax.adaptive_grad_clip does so per output unit, which is another rule.
    """

    def update(gradients, parameters):
        def one(gradient, parameter):
            allowed = limit * jnp.maximum(least, jnp.linalg.norm(parameter.reshape(-1)))
            return gradient / jnp.maximum(1, jnp.linalg.norm(gradient.reshape(-1)) / allowed)

        return jax.tree.map(one, gradients, parameters)

    return optax.stateless(update)


def _kernels(parameters):
    return {name: name.endswith("/kernel") for name in parameters}
