"""The Behaviour Suite (Osband et al. 2020): small experiments by name and number, `cartpole/0`."""

import contextlib
import difflib
import io

import numpy as np

from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from dreamer.envs.deepmind import DeepMind
from jobs.errors import Refused


def make(options, world_seed, spawn_seed, name):
    """The experiment `name`, or a refusal; there are no options."""
    sweep = extras.load("bsuite.sweep", "bsuite")
    name = name if "/" in name else f"{name}/0"
    if name not in sweep.SETTINGS:
        near = difflib.get_close_matches(name, sweep.SETTINGS, 1) or ["cartpole/0"]
        raise Refused(f"there is no experiment '{name}' in bsuite; did you mean '{near[0]}'?")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            env = extras.load("bsuite", "bsuite").load_from_id(name)
    except OSError as problem:
        raise Refused(f"the data of {name} could not be fetched: {problem}") from None
    return Adapter(DeepMind(_beginner(env)), spawn_seed)


def _beginner(env):
    """The same environment for every episode, all its parts with a new random state."""

    def begin(seed):
        part, number = env, 0
        while part is not None:
            if "_rng" in vars(part):
                part._rng = np.random.RandomState([seed, number])
            part, number = vars(part).get("_env"), number + 1
        return env

    return begin
