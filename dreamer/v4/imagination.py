"""Trajectories that the frozen dynamics imagine, and what the heads say along them.

Imagination begins after some real frames, which are committed to an empty cache: past frames at
the level of past frames, each with the action that led to it. Then, step by step, the policy acts
on h, the next frame is generated, noised, committed, and gives the next h.
In the shapes, B is trajectories, C frames before, H imagined steps, S spatial tokens of D channels.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from dreamer import distributions
from dreamer.v4 import cache as caches
from dreamer.v4 import draws, heads, pmpo, returns, shortcut, transformer


class Frame(NamedTuple):
    """A past frame as it is committed: noised latents, the action that led to it, if known, and
    whether the frame is there at all."""

    z: jax.Array  # [B, S, D]
    action: jax.Array  # [B] or [B, A]
    known: jax.Array  # [B]
    valid: jax.Array  # [B]


def commit(values, config, cache, frame, forget=None, taps=False):
    """Cache and h [B, d] (and taps) after one more past frame; `forget` [B] empties rows first."""
    level, step = (jnp.full(len(frame.known), at, jnp.int32)
                   for at in (config.context, config.finest))  # fmt: skip
    found = caches.step(values, config, cache, frame.z, level, step, frame.action, frame.known,
                        forget, taps=taps)  # fmt: skip
    _, h, cache, *tapped = found
    return (cache, h, *tapped)


def recall(values, config, frames):
    """Cache and h [B, d] after the Frame of arrays [B, C, ...]; frames not there leave no trace."""
    batch = len(frames.known)

    def one(carry, frame):
        cache, h, before = carry
        cache, h = commit(values, config, cache, frame, ~before)
        return (cache, h, frame.valid), None

    none = jnp.zeros((batch, config.dyn.width), jnp.float32), jnp.zeros(batch, bool)
    time_first = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), frames)
    (cache, h, there), _ = jax.lax.scan(one, (caches.start(config, batch), *none), time_first)
    return transformer.forget(cache, ~there), h


def rollout(values, config, cache, h, keys, horizon, actions=None, sample=True, world=None):
    """Imagine from cache and h [B, d] on; keys [B]; `actions` [B, H, ...] replace the policy's.

    Returns {h [B, H + 1, d], action [B, H, ...], z [B, H, S, D], frames: Frame [B, H, ...]} and the
    cache after it. `world` stands in for `generated`, in tests.
    """
    step = world or generated

    def one(carry, inputs):
        cache, h = carry
        index, forced = inputs
        choose, dream = draws.split(jax.vmap(lambda k: jax.random.fold_in(k, index))(keys), 2)
        chosen = heads.policy(values, config, h).draw(choose if sample else None)
        action = chosen if forced is None else forced
        cache, after, z, frame = step(values, config, cache, action, dream)
        return (cache, after), (after, action, z, frame)

    forced = None if actions is None else jnp.swapaxes(actions, 0, 1)
    (cache, _), found = jax.lax.scan(one, (cache, h), (jnp.arange(horizon), forced))
    later, action, z, frames = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), found)
    states = jnp.concatenate([h[:, None], later], 1)
    return {"h": states, "action": action, "z": z, "frames": frames}, cache


def generated(values, config, cache, action, keys):
    """Cache, h [B, d], latents [B, S, D] and Frame of what `action` leads to."""
    dream, noise = draws.split(keys, 2)
    known = jnp.ones(len(keys), bool)
    z = shortcut.generate(values, config, cache, action, known, dream)
    frame = Frame(shortcut.noise_context(config, z, noise), action, known, known)
    return *commit(values, config, cache, frame), z, frame


def outcomes(values, config, h):
    """What the heads expect along states h [B, H + 1, d]: reward and go_on of states 1 to H
    [B, H], value of all [B, H + 1]."""
    later = h[:, 1:]
    reward = distributions.two_hot_mean(heads.rewards(values, config, later)[..., 0, :])
    go_on = jax.nn.sigmoid(heads.continues(values, config, later)[..., 0])
    value = distributions.two_hot_mean(heads.value(values, config, h))
    return {"reward": reward, "go_on": go_on, "value": value}


def sums(values, config, found, learn):
    """Sums over trajectories for the losses of policy and value: {name: sum or [total, weight]}.

    found: h and action of `rollout`. The gradient reaches policy and value alone: the policy's not
    the value, the value's not the policy. `learn` false: the policy's part counts for nothing.
    """
    o, still = config.imag, jax.lax.stop_gradient
    expected = still(outcomes(values, config, found["h"]))
    target = returns.lambda_returns(*(expected[k] for k in ("reward", "go_on", "value")),
                                    o.discount, o.lam)  # fmt: skip
    advantage = target - expected["value"][:, :-1]
    weight = returns.weights(expected["go_on"]) if o.weights else jnp.ones_like(target)
    states = still(found["h"][:, :-1])
    policy = heads.policy(values, config, states)
    prior = still(heads.policy(values, config, states, "prior"))
    leaving = heads.divergence(policy, prior)
    bins = distributions.two_hot(target, distributions.bins(config.head.bins))
    error = distributions.cross_entropy(heads.value(values, config, states), bins)
    parts = pmpo.sums(policy.log_prob(found["action"]), advantage, leaving, weight * learn)
    told = _told(policy, expected, target, advantage, leaving)
    if config.action.classes:
        chosen = jax.nn.one_hot(found["action"], config.action.classes).sum((0, 1))
        told["told"] |= {f"action{index}": chosen[index] for index in range(len(chosen))}
    return {"pmpo": parts, "value": jnp.stack([(weight * error).sum(), weight.sum()])} | told


def _told(policy, expected, target, advantage, leaving):
    """Sums that the metrics are made of, of every imagined step alike."""
    value = expected["value"][:, :-1]
    sizes = {"return": target, "value": value, "residual": target - value}
    found = {"count": jnp.float32(target.size), "positive": (advantage >= 0).sum(dtype=jnp.float32)}
    found |= {"kl": leaving.sum(), "entropy": policy.entropy().sum()}
    found |= {name: expected[name].sum() for name in ("reward", "go_on")}
    for name, x in sizes.items():
        found |= {name: x.sum(), f"{name}_square": jnp.square(x).sum()}
    return jax.lax.stop_gradient({"told": found})


def metrics(told):
    """{name: mean, spread or share} of the sums that `sums` tells."""
    count = told["count"]
    mean = {name: x / count for name, x in told.items()}
    spread = {
        name: jnp.maximum(mean[f"{name}_square"] - mean[name] ** 2, 0)
        for name in ("return", "value", "residual")
    }
    found = {"adv/positive": mean["positive"], "kl": mean["kl"], "ent/action": mean["entropy"]}
    found |= {"reward": mean["reward"], "continue": mean["go_on"]}
    found |= {name: x for name, x in mean.items() if name.startswith("action")}
    for name in ("return", "value"):
        found |= {name: mean[name], f"{name}_std": jnp.sqrt(spread[name])}
    found["value_explained"] = 1 - spread["residual"] / jnp.maximum(spread["return"], 1e-12)
    return {f"imag/{name}": x for name, x in found.items()}
