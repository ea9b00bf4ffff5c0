"""What an agent sees and does, as plain hashable values that go into a checkpoint's header."""

from typing import NamedTuple

import gymnasium
import numpy as np

from jobs.errors import Refused

HIDDEN = "log_"  # names of what is logged, never stored or seen


class Space(NamedTuple):
    """One observation or the action. `classes` is 0 for numbers, else the number of categories.

    Several categories have a shape; `high` then holds the number of each, `classes` the largest.
    """

    shape: tuple
    dtype: str
    classes: int = 0
    low: tuple = ()
    high: tuple = ()


class Spaces(NamedTuple):
    """Observations as ((name, Space), ...) in sorted order, and the action."""

    observation: tuple
    action: Space


def of(observation_space, action_space):
    """Spaces from Gymnasium's (Dict, Discrete, MultiDiscrete or Box); others are refused by name.

    Observations whose name starts with `log_` are for the logs alone and left out.
    """
    items = sorted(observation_space.spaces.items())
    items = [item for item in items if not item[0].startswith(HIDDEN)]
    return Spaces(
        tuple((name, _space(name, space)) for name, space in items), _space("action", action_space)
    )


def to_json(spaces):
    """Plain lists and dicts."""
    observation = {name: space._asdict() for name, space in spaces.observation}
    return {"observation": observation, "action": spaces.action._asdict()}


def from_json(value):
    """The inverse of `to_json`."""
    items = sorted(value["observation"].items())
    return Spaces(tuple((name, _tuples(space)) for name, space in items), _tuples(value["action"]))


def _space(name, space):
    if isinstance(space, gymnasium.spaces.Discrete) and space.start == 0:
        return Space((), "int32", int(space.n))
    if isinstance(space, gymnasium.spaces.MultiDiscrete) and not space.start.any():
        counts = _flat(space.nvec)
        return Space(tuple(space.nvec.shape), "int32", int(max(counts)), (), counts)
    if isinstance(space, gymnasium.spaces.Box):
        known = space.dtype != np.uint8 and space.is_bounded()
        ends = (_flat(space.low), _flat(space.high)) if known else ((), ())
        return Space(tuple(space.shape), space.dtype.name, 0, *ends)
    raise Refused(
        f"{name} is a {type(space).__name__} space, but only Discrete, MultiDiscrete and Box are "
        "supported"
    )


def _flat(values):
    return tuple(float(value) for value in np.ravel(values))


def _tuples(value):
    return Space(
        **{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
    )
