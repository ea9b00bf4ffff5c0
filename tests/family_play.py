"""Play `task configs steps` from the seed and print a digest of all that the environment gives."""

import hashlib
import json
import sys

import numpy as np

from dreamer import options, tasks
from dreamer.envs import vector
from jobs.errors import Refused


def main(task, configs, steps):
    """Print {digest, resets}, or {refused} where the family is missing."""
    tree = options.resolve(configs.split(), {"task": task})
    try:
        env = vector.build(task, tasks.options(tree), 0, 0, 0)
    except Refused as problem:
        return {"refused": str(problem)}
    digest = hashlib.sha256()
    for reward, *parts in play(env, int(steps)):
        digest.update(np.float64(reward).tobytes())
        for found in parts:
            for name in sorted(found):
                digest.update(name.encode() + np.ascontiguousarray(found[name]).tobytes())
    return {"digest": digest.hexdigest(), "resets": env.n_resets}


def play(env, steps):
    """(reward, observation, info) of random actions, resets counted as steps."""
    random, over = np.random.default_rng(0), True
    for _ in range(steps):
        if over:
            (seen, info), over, reward = env.reset(), False, 0.0
        else:
            seen, reward, dead, late, info = env.step(draw(env.action_space, random))
            over = dead or late
        assert env.observation_space.contains(seen), seen
        yield reward, seen, info


def draw(space, random):
    """A random action."""
    if hasattr(space, "n"):
        return int(random.integers(space.n))
    return random.uniform(-1, 1, space.shape).astype(np.float32)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
