"""What a training update says about itself, as scalars."""

import jax.numpy as jnp

from dreamer import optimizer
from dreamer.v3 import heads, world


def summary(config, losses, model, dream):
    """{name: scalar} of the losses [B, T] and of the predictions of world model and dream."""
    means = {name: value.mean() for name, value in losses.items()}
    found = {f"loss/{name}": value for name, value in means.items()}
    found["loss/rec"] = sum(means[name] for name in world.targets(config))
    found |= {name: model[name].mean() for name in ("kl", "dyn_ent", "rep_ent")}
    positions = {"rew": "reward", "con": "continuation", "val": "value", "slowval": "slow"}
    found |= {short: dream[name].mean() for short, name in positions.items()}
    found |= {"weight": dream["weight"].mean(), "tar": dream["return"].mean()}
    return found | _returns(dream) | _advantages(dream) | _randomness(config, dream)


def training(config, updates, gradients):
    """{name: scalar} of the optimiser at update number `updates`."""
    square = sum(jnp.square(gradient).sum() for gradient in gradients.values())
    rate = optimizer.learning_rate(config.opt, updates)
    return {"opt/grad_norm": jnp.sqrt(square), "opt/lr": rate}


def _returns(dream):
    scaled = (dream["return"] - dream["offset"]) / dream["scale"]
    return {
        "ret": scaled.mean(),
        "ret_min": scaled.min(),
        "ret_max": scaled.max(),
        "ret_rate": (jnp.abs(scaled) >= 1).mean(),
    }


def _advantages(dream):
    value = dream["advantage"]
    return {"adv": value.mean(), "adv_std": value.std(), "adv_mag": jnp.abs(value).mean()}


def _randomness(config, dream):
    low, high = heads.entropy_range(config)
    mean = dream["entropy"].mean()
    return {"ent/action": mean, "rand/action": (mean - low) / (high - low)}
