"""Environments by Gymnasium's id (`gym_CartPole-v1`), and one's own classes (`module:Class`)."""

import importlib

import gymnasium
from gymnasium import error

from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

EXTRAS = {"box2d": "box2d", "mujoco": "dmc", "atari": "atari", "ale": "atari"}


def make(options, world_seed, spawn_seed, name):
    """The environment `name` for the options env.gym, or a refusal."""
    env = _own(name) if ":" in name else _registered(name)
    return Adapter(env, spawn_seed, **options)


def _registered(name):
    try:
        return gymnasium.make(name, disable_env_checker=True)
    except error.DependencyNotInstalled as problem:
        text = str(problem).lower()
        family = next((found for word, found in EXTRAS.items() if word in text), None)
        if family is None:
            raise Refused(f"the environment {name} cannot be made: {problem}") from None
        raise extras.missing(family, problem) from None
    except error.Error as problem:
        text = str(problem).splitlines()[0].rstrip(".")
        raise Refused(f"there is no Gymnasium environment '{name}': {text}") from None


def _own(task):
    """An instance of the class module:Class, which takes no arguments."""
    place, _, name = task.partition(":")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as problem:
        if problem.name and f"{place}.".startswith(f"{problem.name}."):
            raise Refused(f"task is '{task}', but there is no module {place}") from None
        raise
    if not hasattr(module, name):
        raise Refused(f"task is '{task}', but {place} has no {name}")
    made = getattr(module, name)
    if not callable(made):
        raise Refused(f"task is '{task}', but {name} is no class of environments")
    env = made()
    if not isinstance(env, gymnasium.Env):
        raise Refused(f"task is '{task}', but {name} is no gymnasium.Env; derive it from that")
    return env
