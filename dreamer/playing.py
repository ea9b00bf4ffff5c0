"""Plays episodes with a policy, several environments side by side; whoever asks keeps them."""

from functools import partial

import jax

from dreamer import recorder
from dreamer.driver import Driver
from dreamer.envs import vector


def play(kept, begin, tree, world_seed, seed, envs, header):
    """Play what is missing of `kept` (recorder.Collector says what that needs).

    Yields (episodes finished, steps) after each step. `begin(vector environment)` gives the policy
    and its first carry, as a Driver takes them; `tree` has task and env, `header` says what is kept
    of a step (recorder.split). At most `envs` environments are stepped at once.
    """
    collector = recorder.Collector(kept, min(envs, kept.episodes))
    made = vector.make(
        tree["task"],
        tree["env"],
        collector.count,
        world_seed,
        spawn_seed=seed,
        first=list(collector.resets),
    )
    try:
        driver = Driver(made, *begin(made), seed, collector.resets)
        while collector.missing:
            before = len(collector.missing)
            collector.add(recorder.split(driver.step(), collector.count, header))
            yield before - len(collector.missing), collector.count
    finally:
        made.close()
        collector.close()


def starter(agent, sample, tell=lambda params, activations: {}):
    """`begin` of `play` for an agent; tell(params, activations) is what is kept of a step."""

    @jax.jit
    def act(params, carry, observation, keys):
        carry, action, found = agent.family.act(params, carry, observation, keys, sample)
        return carry, action, tell(params, found)

    def begin(envs):
        return partial(act, agent.params), agent.family.start(agent.params, envs.num_envs)

    return begin
