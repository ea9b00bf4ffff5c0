"""What the heads of DreamerV4 learn, and what they must not."""

import jax
import jax.numpy as jnp
import pytest

from dreamer.v4 import heads, steps
from dreamer.v4 import train_imagination as phase
from tests import quick, toy_v4

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
