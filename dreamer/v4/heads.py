"""Small networks on the agent token's state h: policy, reward, continue, value, and the prior.

Policy, reward and continue predict `mtp` offsets ahead, of which acting and imagination use the
first. The prior is a copy of the policy that is never trained.
In the shapes, B is batch, T time, L offsets, d the width of h, K bins, A actions.
"""

import jax
import jax.numpy as jnp

from dreamer import distributions, nets

ACT = "silu"


def shapes(config):
    """Parameters {name: Leaf} of all heads. Outputs start at zero: uniform, and exactly 0."""
    found = {}
    for name in ("head/policy", "head/reward", "head/continue", "head/value", "prior"):
        units, outputs = config.head.units or config.dyn.width, _outputs(config, name)
        found |= nets.mlp_shapes(f"{name}/mlp", config.dyn.width, config.head.layers, units)
        found |= nets.linear_shapes(f"{name}/out", units, outputs, 0.0)
    return found


def trunk(values, config, name, h):
    """Outputs [..., units] of every hidden layer of `head/policy`, ..., `prior`."""
    return nets.mlp(values, f"{name}/mlp", h.astype(jnp.float32), config.head.layers, ACT)


def policy(values, config, h, name="head/policy"):
    """Distribution over the next action, for h [..., d]."""
    return jax.tree.map(lambda x: x[..., 0, :], policies(values, config, h, name))


def policies(values, config, h, name="head/policy"):
    """Distribution over the actions at L offsets: its arrays are [..., L, A]."""
    return policies_of(values, config, trunk(values, config, name, h)[-1], name)


def policies_of(values, config, hidden, name="head/policy"):
    """The same from the last hidden layer [..., units]."""
    out = _out(values, name, hidden, config.head.mtp)
    if config.action.classes:
        return distributions.Categorical(out)
    mean, spread = jnp.split(out, 2, -1)
    low, high = config.head.minstd, config.head.maxstd
    std = jax.nn.sigmoid(spread + 2) * (high - low) + low
    return distributions.Normal(jnp.tanh(mean), std)


def rewards(values, config, h):
    """Logits [..., L, K] of the rewards that come with this and the next states."""
    return _out(values, "head/reward", _last(values, config, "head/reward", h), config.head.mtp)


def continues(values, config, h):
    """Logits [..., L] of this and the next states not being terminal."""
    name = "head/continue"
    return _out(values, name, _last(values, config, name, h), config.head.mtp)[..., 0]


def value(values, config, h):
    """Logits [..., K] of the value; `distributions.two_hot_mean` is its mean."""
    return _out(values, "head/value", _last(values, config, "head/value", h), 1)[..., 0, :]


def divergence(policy, prior):
    """KL(policy || prior) [...], exact, of two distributions of `policy`."""
    if isinstance(policy, distributions.Categorical):
        p, q = (jax.nn.log_softmax(item.logits) for item in (policy, prior))
        return (jnp.exp(p) * (p - q)).sum(-1)
    ratio, distance = policy.std / prior.std, (policy.mean - prior.mean) / prior.std
    return ((ratio**2 + distance**2 - 1) / 2 - jnp.log(ratio)).sum(-1)


def losses(values, config, h, targets):
    """{name: (total [B], weight [B])} of predicting the data from h [B, T, d].

    targets: action [B, T + L - 1, ...], reward, go_on [B, T + L - 1] and, of equal shape, which of
    them count: action_known, reward_known, go_on_known. Offset n at row t is the entry t + n.
    """
    steps = h.shape[1]

    def ahead(x):
        return jnp.stack([x[:, n : n + steps] for n in range(config.head.mtp)], 2)

    edges = distributions.bins(config.head.bins)
    rewarded = distributions.two_hot(ahead(targets["reward"]), edges)
    going, logit = ahead(targets["go_on"]), continues(values, config, h)
    found = {
        "policy": -policies(values, config, h).log_prob(ahead(targets["action"])),
        "reward": distributions.cross_entropy(rewards(values, config, h), rewarded),
        "continue": jax.nn.softplus(logit) - going * logit,
    }
    known = {"policy": "action_known", "reward": "reward_known", "continue": "go_on_known"}
    masks = {name: ahead(targets[known[name]]) for name in found}
    return {
        name: (jnp.where(masks[name], loss, 0).sum((1, 2)), masks[name].sum((1, 2), jnp.float32))
        for name, loss in found.items()
    }


def _outputs(config, name):
    numbers = config.action.classes or 2 * config.action.shape[0]
    each = {"head/reward": config.head.bins, "head/continue": 1, "head/value": config.head.bins}
    offsets = 1 if name == "head/value" else config.head.mtp
    return offsets * each.get(name, numbers)


def _last(values, config, name, h):
    return trunk(values, config, name, h)[-1]


def _out(values, name, hidden, offsets):
    found = nets.linear(values, f"{name}/out", hidden).astype(jnp.float32)
    return found.reshape(*found.shape[:-1], offsets, -1)
