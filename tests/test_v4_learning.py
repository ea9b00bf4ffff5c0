"""What the heads of DreamerV4 learn, and what they must not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dreamer.v4 import dynamics, heads, steps
from dreamer.v4 import train_imagination as phase
from tests import quick, tiny_v4, toy_v4

CONFIG = toy_v4.params().config


@pytest.mark.parametrize("beta, least, most", [(0.0, 0.8, 1.0), (100.0, 0.1, 0.35)])
def test_the_action_that_pays_is_learnt_unless_the_prior_weighs_more(beta, least, most):
    """A bandit: action 2 leads to a reward of 1."""
    h = jnp.ones((256, CONFIG.dyn.width))
    values = phase.begin(toy_v4.fresh().values)
    config = CONFIG._replace(imag=CONFIG.imag._replace(beta=beta))
    mine, _ = steps.split(phase.PHASE, values)

    @quick.jit
    def better(policy, key):
        action = heads.policy(values | policy, config, h).draw(key)

        def loss(policy):
            found = heads.policy(values | policy, config, h)
            prior = heads.policy(values, config, h, "prior")
            advantage = jnp.where(action == 2, 0.8, -0.2)
            sums = phase.pmpo.sums(found.log_prob(action), advantage,
                                   heads.divergence(found, prior), jnp.ones(len(h)))  # fmt: skip
            return phase.pmpo.loss(sums, 0.5, beta)

        return jax.tree.map(lambda x, slope: x - 0.003 * slope, policy, jax.grad(loss)(policy))

    policy = {name: x for name, x in mine.items() if "policy/out" in name}
    for number in range(120):
        policy = better(policy, jax.random.key(number))
    chance = heads.policy(values | policy, config, h[:1]).mean[0, 2]
    assert least <= chance <= most


@pytest.mark.slow  # trains the whole dynamics
def test_actions_that_depend_on_nothing_cannot_be_learnt():
    """Of data never seen, so that nothing is known by heart: a leak would go below chance."""
    config = tiny_v4.config(dyn__p_flow=1.0, head__mtp=1, head__layers=1)
    values, rule = toy_v4.fresh(head__mtp=1, head__layers=1).values, optax.adam(3e-3)

    def error(values, frames, data):
        total, weight = heads.losses(
            values, config, dynamics.forward(values, config, **frames)[1], data
        )["policy"]
        return total.sum() / weight.sum()

    @quick.jit
    def update(values, state, frames, data):
        found, slope = jax.value_and_grad(error)(values, frames, data)
        changes, state = rule.update(slope, state)
        return optax.apply_updates(values, changes), state, found

    def batch(seed):
        """Each frame shows which action led to it; the action chosen there is led to next."""
        frames = tiny_v4.frames(config, 6, rows=32, seed=seed)
        rng = np.random.default_rng([seed, 1])  # not the draws of `frames`
        chosen = rng.integers(0, toy_v4.ACTIONS, (32, 6))
        frames["action"] = np.concatenate([0 * chosen[:, :1], chosen[:, :-1]], 1)
        frames["z"] = frames["z"] + frames["action"][..., None, None]
        data = {name: np.zeros((32, 6), np.float32) for name in ("reward", "go_on")}
        known = {f"{name}_known": np.ones((32, 6), bool) for name in ("action", *data)}
        return frames, data | {"action": chosen} | known

    state, losses = rule.init(values), []
    for number in range(400):
        values, state, found = update(values, state, *batch(number))
        losses.append(float(found))
    chance = np.log(toy_v4.ACTIONS)
    assert np.mean(losses[-100:]) == pytest.approx(chance, abs=0.02)
