"""Plays episodes for a data set: by a checkpoint, at random, or by an environment's own script.

Every source has seeds of its own, so no two of them play the same episode. Episodes of one source
are numbered from 0; an episode depends on its number and on its source alone, a checkpoint's also
on how many environments are stepped side by side. T is steps.
"""

from typing import NamedTuple

import gymnasium
import numpy as np

from dreamer import playing, png, tasks
from dreamer.envs import vector
from dreamer.trajectory import FACINGS
from jobs.errors import Refused

FLAGS = ("is_first", "is_last", "is_terminal")
ROW = {"layers": {}, "absent": []}  # nothing is recorded of an agent's layers


class Source(NamedTuple):
    """Who acts: `agent` is None for random and scripted. `place` is its index among the policies.

    Its episodes have the numbers `first` and up in the data set: those to train on, then those to
    test on. `seed` is that of spawns and actions, `world` that of the ground.
    """

    place: int
    name: str
    agent: object
    first: int
    train: int
    test: int
    seed: int
    world: int


class Share:
    """The episodes of one source among the part files, as `recorder.Collector` asks for them."""

    def __init__(self, parts, source):
        self.parts, self.source, self.episodes = parts, source, source.train + source.test

    def missing(self):
        """Episodes that are not there yet."""
        first, path = self.source.first, self.parts.path
        return [item for item in range(self.episodes) if not path(first + item).is_file()]

    def save(self, episode, rows):
        """Write the steps of a finished episode, [{name: value}]."""
        number = self.source.first + episode
        self.parts.write(number, columns(number, self.source.place, rows))


def columns(number, policy, rows):
    """{column: values} of an episode of T steps, [{name: value}]."""
    stack = {name: np.stack([row[name] for row in rows]) for name in rows[0] if name != "terrain"}
    found = {"episode": np.full(len(rows), number), "step": np.arange(len(rows))}
    found |= {name: stack[name] for name in ("action", "reward", *FLAGS)}
    found |= {"policy": np.full(len(rows), policy)}
    if "position" in stack:
        found["x"], found["y"] = stack["position"].T
    if "facing" in stack:
        found["facing"] = np.array(FACINGS)[stack["facing"]]
    return found | {"image": [png.encode(image) for image in stack["image"]]}


def play(source, parts, tree, options):
    """Play what is missing of a source; yields (episodes finished, steps) after each step."""
    share = Share(parts, source)
    if not share.missing():
        return
    if source.agent:
        yield from _driven(share, source, tree, options)
    else:
        yield from _alone(share, source, tree)


def _driven(share, source, tree, options):
    """By a checkpoint: several environments side by side."""
    begin = playing.starter(source.agent, options["sample"])
    return playing.play(share, begin, tree, source.world, source.seed, options["envs"], ROW)


def _alone(share, source, tree):
    """At random or by script: one environment, in this process."""
    env = vector.build(tree["task"], tasks.options(tree), source.world, source.seed, 0)
    with env:
        for episode in share.missing():
            random = np.random.default_rng([source.seed, episode])
            rows = list(_episode(env, chooser(source.name, tree["task"], env, random), episode))
            share.save(episode, rows)
            yield 1, len(rows)


def _episode(env, act, number):
    """The rows of an episode."""
    seen, info = env.reset(options={"n_resets": number})
    reward, dead, late, first = 0.0, False, False, True
    while True:
        action, over = act(info), dead or late
        flags = {"is_first": first, "is_last": over, "is_terminal": dead}
        known = {name: info[name] for name in ("position", "facing") if name in info}
        yield {"image": seen["image"], "action": action, "reward": reward, **flags, **known}
        if over:
            return
        (seen, reward, dead, late, info), first = env.step(action), False


def chooser(name, task, env, random):
    """The policy of one episode, `info -> action`: scripted or random."""
    if name == "scripted":
        module = vector.module(task)
        if not hasattr(module, "scripted"):
            raise Refused(f"the environment {task} has no scripted policy; leave scripted out")
        return module.scripted(random)
    space = env.action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return lambda info: int(random.integers(space.n))
    low, high = (np.where(np.isfinite(end), end, side)
                 for end, side in ((space.low, -1.0), (space.high, 1.0)))  # fmt: skip
    return lambda info: random.uniform(low, high).astype(space.dtype)
