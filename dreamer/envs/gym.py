"""Environments by Gymnasium's id (`gym_CartPole-v1`), and one's own classes (`module:Class`)."""

import importlib
import traceback

import gymnasium
from gymnasium import error

from dreamer import tasks
from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

EXTRAS = {"box2d": "box2d", "mujoco": "dmc", "atari": "atari", "ale": "atari"}


def make(options, world_seed, spawn_seed, name):
    """The environment `name` for the options env.gym, or a refusal."""
    env = _own(name) if tasks.is_class(name) else _registered(name)
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
    except (error.Error, ModuleNotFoundError) as problem:
        text = str(problem).splitlines()[0].rstrip(".")
        raise Refused(f"there is no Gymnasium environment '{name}': {text}") from None


def _own(task):
    """An instance of the class module:Class, which takes no arguments."""
    place, _, name = task.partition(":")
    made = getattr(_module(task, place), name, None)
    if made is None:
        raise Refused(f"task is '{task}', but {place} has no {name}")
    if not callable(made):
        raise Refused(f"task is '{task}', but {name} is no class of environments")
    try:
        env = made()
    except Exception as problem:
        raise Refused(f"task is '{task}', but {name}() fails: {_place(problem)}") from problem
    if not isinstance(env, gymnasium.Env):
        raise Refused(f"task is '{task}', but {name} is no gymnasium.Env; derive it from that")
    return env


def _module(task, place):
    try:
        return importlib.import_module(place)
    except Exception as problem:
        absent = problem.name if isinstance(problem, ModuleNotFoundError) else None
        if absent and f"{place}.".startswith(f"{absent}."):
            raise Refused(f"task is '{task}', but there is no module {place}") from None
        raise Refused(f"task is '{task}', but {place} fails: {_place(problem)}") from problem


def _place(problem):
    """What an error says, and the line of a file where it arose."""
    last = traceback.extract_tb(problem.__traceback__)[-1]
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__} in {last.filename}, line {last.lineno}: {text}"
