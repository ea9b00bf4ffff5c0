"""Published weights: parameters under the authors' names beside a JSON header, in one file."""

import json
import os
import re
import sys
from functools import partial

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from dreamer import family, spaces
from dreamer import options as trees
from jobs import files
from jobs.errors import Refused

VERSION = 1
KEY = "dream_atlas"
INIT = 0  # stream of keys; those of acting and of training are others


class Agent:
    """A trained agent that acts: `header`, `options`, `spaces`, `family`, `params`."""

    def __init__(self, header, params):
        self.header = header
        self.options = header["options"]
        self.spaces = spaces.from_json(header["spaces"])
        self.family = family.load(header["agent"])
        self.params = params
        self._policy = jax.jit(_policy(self.family), static_argnames="sample")
        self._key, self._steps = jax.random.key(self.options["seed"]), 0
        self.reset()

    def reset(self):
        """Forget the past: the next observation starts a new episode."""
        self._carry, self._first = self.family.start(self.params, 1), True

    def act(self, observation, sample=True):
        """Action for one unbatched observation, e.g. {"image": uint8 [64, 64, 3]}.

        Discrete actions are an int, continuous ones an array [A]. The agent remembers what it saw
        since `reset`. `sample=False` takes the most probable action.
        """
        names = [name for name, _ in self.spaces.observation]
        missing = [name for name in names if name not in observation]
        if missing:
            raise Refused(f"the observation lacks {', '.join(missing)}; give {', '.join(names)}")
        batch = {name: np.asarray(observation[name])[None] for name in names}
        batch["is_first"] = np.array([self._first])
        key = jax.random.fold_in(self._key, self._steps)
        self._carry, action = self._policy(self.params, self._carry, batch, key, sample=sample)
        self._first, self._steps = False, self._steps + 1
        kind = self.spaces.action
        return int(action[0]) if kind.classes and not kind.shape else np.asarray(action[0])


def fresh(module, options, spaces, seed):
    """The state with which a training of the family `module` with this seed begins."""
    key = jax.random.fold_in(jax.random.key(seed), INIT)
    return jax.jit(partial(module.init, options, spaces))(key)


def restore(path):
    """The agent in a checkpoint, or a refusal that says what is wrong with the file."""
    header, values = load(path)
    header = _completed(path, header)
    seen = spaces.from_json(header["spaces"])
    init = partial(family.load(header["agent"]).init, header["options"], seen)
    state = fill(jax.eval_shape(init, jax.random.key(0)), values, path)
    return Agent(header, state.params)


def _completed(path, header):
    """The header with today's defaults for options that its family had not when it was written.

    An option that is added must by default do what was done before it.
    """
    options = trees.flatten(header["options"])
    known = trees.flatten(trees.resolve((), {"agent": header["agent"]}))
    missing = {name: value for name, value in known.items() if name not in options}
    own = [name for name in missing if name.split(".")[0] not in trees.SHARED]
    if own:
        print(f"{path} is older than {', '.join(own)}: default taken", file=sys.stderr)
    return header | {"options": trees.unflatten(missing | options)}


def save(path, values, header):
    """Write parameters {name: array} and their header in one atomic step, equal for equal content.

    The header holds agent, options, step, updates, seed, spaces, world, versions, spec and code.
    """
    text = files.canonical({"kind": "checkpoint", "version": VERSION, **header})
    with files.atomic(path) as temporary:
        write(temporary, {name: values[name] for name in sorted(values)}, text)


def write(path, arrays, text):
    """Write arrays {name: array} and a text that `arrays` reads; an OSError if the disk fails."""
    whole = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    try:
        save_file(whole, path, metadata={KEY: text})
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if not number:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


def load(path):
    """(header, {name: array}) of a checkpoint; a missing, cut off or foreign file is refused."""
    header, values = arrays(path)
    if header.get("kind") != "checkpoint" or header.get("version") != VERSION:
        raise Refused(
            f"{path} is '{header.get('kind')}' of version {header.get('version')}, "
            f"but 'checkpoint' of version {VERSION} is needed; train again"
        )
    missing = {"agent", "options", "spaces"} - set(header)
    if missing:
        raise Refused(f"{path} has a header without {', '.join(sorted(missing))}; make it again")
    return header, values


def arrays(path):
    """(header, {name: array}) of any safetensors file of this project."""
    files.need(path, "train first, or give the path of a checkpoint")
    try:
        with safe_open(path, "numpy") as file:
            text = (file.metadata() or {}).get(KEY)
            values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Refused(
            f"{path} is cut off or not a safetensors file ({error}); make it again"
        ) from None
    if text is None:
        raise Refused(f"{path} was not written by this project: its header lacks '{KEY}'")
    try:
        return json.loads(text), values
    except json.JSONDecodeError:
        raise Refused(f"{path} has a header that is not JSON; make it again") from None


def fill(state, values, path):
    """An agent state whose parameters are `values`; refuse, naming what differs, if they misfit."""
    check(state.params.values, values, path)

    def leaf(keys, old):
        inside = getattr(keys[0], "name", None) == "params"
        return jax.numpy.asarray(values[keys[-1].key]) if inside else old

    return jax.tree_util.tree_map_with_path(leaf, state)


def check(wanted, found, path):
    """Refuse parameters {name: array} that differ in names or shapes from the wanted ones."""
    names = sorted(set(wanted) | set(found))
    wrong = [name for name in names if _shape(wanted, name) != _shape(found, name)]
    if wrong:
        lines = [f"{name} {_shape(found, name)} not {_shape(wanted, name)}" for name in wrong[:12]]
        more = f" and {len(wrong) - 12} more" if len(wrong) > 12 else ""
        raise Refused(
            f"{path} does not fit these options, {len(wrong)} of {len(names)} parameters differ "
            f"(file, not options): {', '.join(lines)}{more}; give the options it was trained with"
        )


def _shape(values, name):
    return list(values[name].shape) if name in values else "absent"


def _policy(module):
    def act(params, carry, observation, key, sample):
        return module.act(params, carry, observation, key, sample)[:2]

    return act
