"""Policy and value, trained on imagined futures.

In the shapes, N is starting states, H imagined steps; time is the first axis here.
"""

import jax
import jax.numpy as jnp

from dreamer import distributions
from dreamer.v3 import heads, rssm

still = jax.lax.stop_gradient


def imagine(values, config, latent, actions, horizon, key):
    """Follow the policy, or `actions` [H, N] where given, from the Latent [N].

    Returns Latent [H, N] of the states after the start, and the actions [H, N].
    """

    def step(latent, inputs):
        forced, key = inputs
        choose, move = distributions.pair(key)
        action = forced
        if action is None:
            action = heads.policy(values, config, rssm.feature(latent)).draw(choose)
        vector = rssm.action_vector(config, action)
        latent = rssm.imagine(values, config, latent, vector, move)
        return latent, (latent, action)

    keys = distributions.split(key, horizon)
    inputs, turns = (actions, keys), config.dyn.unroll
    return jax.lax.scan(step, latent, inputs, length=horizon, unroll=turns)[1]


def loss(values, config, batch, latent, key):
    """Losses {policy, value: [B, T]; repval: [B, T-1]} from the posterior Latent [B, T].

    Also returns what was imagined, and retnorm's new values.
    """
    dream = _dream(values, config, latent, key)
    norm = _normalizer(values, config, dream["return"])
    scale = jnp.maximum(config.retnorm.floor, norm["retnorm/hi/value"] - norm["retnorm/lo/value"])
    advantage = (dream["return"] - dream["value"][:-1]) / scale
    weight = jnp.cumprod(dream["continuation"], 0)
    policy = heads.policy(values, config, dream["feature"][:-1])
    entropy = policy.entropy()
    gain = policy.log_prob(still(dream["action"])) * still(advantage)
    losses = {
        "policy": -weight[:-1] * (gain + config.imag.entropy * entropy),
        "value": weight[:-1]
        * _value_loss(dream["logits"][:-1], dream["return"], dream["slow"][:-1]),
    }
    shape = batch["reward"].shape
    losses = {name: value.mean(0).reshape(shape) for name, value in losses.items()}
    losses["repval"], replay = _replay_loss(values, config, batch, latent, dream["return"][0])
    extra = {"advantage": advantage, "weight": weight, "entropy": entropy, "replay_return": replay}
    return losses, {**dream, **extra, "scale": scale, "offset": norm["retnorm/lo/value"]}, norm


def lambda_return(reward, live, keep, boot):
    """R_t = r_t+1 + live_t+1 ((1 - keep_t+1) boot_t+1 + keep_t+1 R_t+1), R_T-1 = boot_T-1.

    All inputs [T, ...]; row 0 of the first three is not used. Returns [T-1, ...].
    """

    def step(future, now):
        reward, live, keep, boot = now
        future = reward + live * ((1 - keep) * boot + keep * future)
        return future, future

    inputs = tuple(x[1:] for x in (reward, live, keep, boot))
    return jax.lax.scan(step, boot[-1], inputs, reverse=True)[1]


def _dream(values, config, latent, key):
    """Imagined features [H+1, N, F] and predictions about them; only `logits` have a gradient."""
    frozen = still(values)
    first = still(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), latent))
    states, actions = imagine(frozen, config, first, None, config.imag.length, key)
    states = jax.tree.map(lambda one, rest: jnp.concatenate([one[None], rest]), first, states)
    feature = rssm.feature(states)
    mean = distributions.two_hot_mean
    reward = mean(heads.bin_logits(frozen, config, "rew", feature))
    going_on = jax.nn.sigmoid(heads.continuation(frozen, config, feature))
    logits = heads.bin_logits(values, config, "val", feature)
    value = mean(still(logits))
    keep = jnp.full_like(value, config.imag.lam)
    return {
        "deter": states.deter,
        "feature": feature,
        "action": actions,
        "reward": reward,
        "continuation": going_on,
        "logits": logits,
        "value": value,
        "slow": mean(heads.bin_logits(frozen, config, "slowval", feature)),
        "return": lambda_return(reward, going_on, keep, value),
    }


def _replay_loss(values, config, batch, latent, boot):
    """Value loss [B, T-1] on the replayed rewards, with gradient into the belief."""
    feature = rssm.feature(latent)
    live = (1 - batch["is_terminal"].astype(jnp.float32)) * (1 - 1 / config.imag.horizon)
    keep = (1 - batch["is_last"].astype(jnp.float32)) * config.imag.lam
    boot = boot.reshape(live.shape)
    target = lambda_return(*(x.T for x in (batch["reward"], live, keep, boot))).T
    logits = heads.bin_logits(values, config, "val", feature)[:, :-1]
    slow = distributions.two_hot_mean(
        heads.bin_logits(still(values), config, "slowval", still(feature))
    )
    return ~batch["is_last"][:, :-1] * _value_loss(logits, target, slow[:, :-1]), target


def _value_loss(logits, target, slow):
    """Cross-entropy against the return plus that against the slow value's mean."""
    edges = distributions.bins(logits.shape[-1])
    both = distributions.two_hot(target, edges) + distributions.two_hot(slow, edges)
    return distributions.cross_entropy(logits, still(both))


def _normalizer(values, config, returns):
    """retnorm's values after this batch: moving averages of two percentiles, without debiasing."""
    o = config.retnorm
    low, high = jnp.percentile(still(returns), jnp.array([o.low, o.high]))
    return {
        f"retnorm/{name}/value": (1 - o.rate) * values[f"retnorm/{name}/value"] + o.rate * value
        for name, value in (("lo", low), ("hi", high))
    }
