"""The world model: everything that is trained to predict what the agent will see and receive."""

import jax
import jax.numpy as jnp

from dreamer import distributions
from dreamer.v3 import config as configs
from dreamer.v3 import decoder, encoder, heads, rssm


def shapes(config):
    """{name: Leaf} of all weights, the policy's and the values' included."""
    found = encoder.shapes(config) | decoder.shapes(config) | heads.shapes(config)
    return found | rssm.shapes(config, encoder.layers(config)["enc/tokens"])


def loss(values, config, batch, latent, action, key):
    """World-model losses {name: [B, T]}, the Latent [B, T], and what was predicted.

    batch {name: [B, T, ...]}; latent [B] is the belief before row 0; action [B, T, A] are the
    vectors of the actions that led to each row.
    """
    tokens, latent, post, prior = _seen(values, config, batch, latent, action, key)
    feature = rssm.feature(latent)
    decoded = decoder.decode(values, config, latent)
    losses, beliefs = _beliefs(config, post, prior)
    losses |= decoder.losses(config, decoded, batch)
    reward = heads.bin_logits(values, config, "rew", feature)
    edges = distributions.bins(config.rew.bins)
    target = distributions.two_hot(batch["reward"].astype(jnp.float32), edges)
    losses["rew"] = distributions.cross_entropy(reward, target)
    going_on = heads.continuation(values, config, feature)
    losses["con"] = _binary(going_on, ~batch["is_terminal"] * (1 - 1 / config.imag.horizon))
    outputs = {"tokens": tokens, "post_logit": post, "prior_logit": prior, "decoded": decoded}
    outputs |= {"reward_logits": reward, "continuation": going_on, **beliefs}
    return losses, latent, outputs


def surprise(values, config, batch, latent, action, key):
    """KL [B, T] of the posterior from the prior without free nats; arguments as for `loss`."""
    _, _, post, prior = _seen(values, config, batch, latent, action, key)
    return _beliefs(config, post, prior)[1]["kl"]


def targets(config):
    """Names of the reconstruction losses."""
    return tuple(name for name, _ in configs.seen(config, "dec"))


def _seen(values, config, batch, latent, action, key):
    """Tokens, Latent, and raw logits of posterior and prior of the rows [B, T]."""
    tokens = encoder.encode(values, config, batch)["enc/tokens"]
    latent, post = rssm.observe(values, config, latent, tokens, action, batch["is_first"], key)
    return tokens, latent, post, rssm.prior(values, config, latent.deter)


def _beliefs(config, post, prior):
    """Losses between posterior and prior with free nats, and their KL and entropies [B, T]."""
    still = jax.lax.stop_gradient
    post, prior = (distributions.mixed(logits, config.dyn.unimix) for logits in (post, prior))
    kl = distributions.kl(still(post), prior)
    losses = {
        "dyn": jnp.maximum(config.dyn.free_nats, kl),
        "rep": jnp.maximum(config.dyn.free_nats, distributions.kl(post, still(prior))),
    }
    entropies = {"dyn_ent": distributions.entropy(prior), "rep_ent": distributions.entropy(post)}
    return losses, {"kl": still(kl), **still(entropies)}


def _binary(logit, target):
    """Cross-entropy of a probability sigmoid(logit) against a target in 0..1."""
    return -(target * jax.nn.log_sigmoid(logit) + (1 - target) * jax.nn.log_sigmoid(-logit))
