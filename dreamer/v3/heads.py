"""Small networks on the belief: reward, continuation, policy and value.

In the shapes, F is the width of the feature, K the number of bins, A of action numbers.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import distributions, nets
from dreamer.v3 import config as configs
from dreamer.v3 import rssm


def shapes(config):
    """Parameters of all heads, the slow value included."""
    features = config.dyn.deter + config.dyn.stoch * config.dyn.classes
    actions = rssm.action_width(config)
    outputs = {
        "rew": {"head/logits": (config.rew.bins, 0.0)},
        "con": {"head/logit": (1, 1.0)},
        "pol": {name: (actions, 0.01) for name in _policy_outputs(config)},
        "val": {"head/logits": (config.val.bins, 0.0)},
        "slowval": {"head/logits": (config.val.bins, 0.0)},
    }
    found = {}
    for name, leaves in outputs.items():
        o = _options(config, name)
        found |= nets.mlp_shapes(f"{name}/mlp", features, o.layers, o.units)
        for leaf, (width, outscale) in leaves.items():
            found |= nets.linear_shapes(f"{name}/{leaf}", o.units, width, outscale)
    return found


def trunk(values, config, name, feature):
    """Outputs [..., units] of every hidden layer of a head."""
    o = _options(config, name)
    return nets.mlp(values, f"{name}/mlp", feature, o.layers, o.act)


def bin_logits(values, config, name, feature):
    """Logits [..., K] of `rew`, `val` or `slowval`; `distributions.two_hot_mean` is their mean."""
    return _output(values, f"{name}/head/logits", trunk(values, config, name, feature)[-1])


def value_of(values, hidden):
    """Logits [..., K] of the value from its last hidden layer [..., units]."""
    return _output(values, "val/head/logits", hidden)


def continuation(values, config, feature):
    """Logit [...] of the episode going on."""
    hidden = trunk(values, config, "con", feature)[-1]
    return _output(values, "con/head/logit", hidden)[..., 0]


def policy(values, config, feature):
    """Distribution over actions [...]."""
    return policy_of(values, config, trunk(values, config, "pol", feature)[-1])


def policy_of(values, config, hidden):
    """Distribution over actions from the policy's last hidden layer [..., units]."""
    outputs = [_output(values, f"pol/{name}", hidden) for name in _policy_outputs(config)]
    space = config.spaces.action
    if space.classes and space.shape:
        logits = outputs[0].reshape(*hidden.shape[:-1], *space.shape, space.classes)
        return distributions.Categoricals(
            distributions.only(logits, configs.possible(space)), len(space.shape)
        )
    if space.classes:
        return distributions.Categorical(*outputs)
    low, high = config.pol.minstd, config.pol.maxstd
    std = jax.nn.sigmoid(outputs[1] + 2) * (high - low) + low
    return distributions.Normal(jnp.tanh(outputs[0]), std)


def entropy_range(config):
    """Least and greatest entropy that the policy can have."""
    actions, space = rssm.action_width(config), config.spaces.action
    if space.classes:
        return 0.0, np.log(space.high if space.shape else [actions]).sum()
    ends = (config.pol.minstd, config.pol.maxstd)
    return tuple(distributions.Normal(0.0, jnp.full(actions, end)).entropy() for end in ends)


def _policy_outputs(config):
    kinds = ("logits",) if config.spaces.action.classes else ("mean", "stddev")
    return tuple(f"head/action/{kind}" for kind in kinds)


def _output(values, name, hidden):
    return nets.linear(values, name, hidden).astype(jnp.float32)


def _options(config, name):
    return config.val if name == "slowval" else getattr(config, name)
