"""What a task's name says: which module makes the environment, with which options and which name.

`crafter` is a module of dreamer.envs; `atari_pong` is `pong` of the suite `atari`; a dotted name is
a module of your own with `make`; `module:Class` and `file.py:Class` are Gymnasium environments.
"""

import difflib
import importlib.metadata
import re
from pathlib import Path, PurePath
from typing import NamedTuple

from jobs.errors import Refused

ALONE = ("crafter", "square")
SUITES = {  # prefix: module of dreamer.envs; the longest prefix that fits counts
    **{"gym": "gym", "atari": "atari", "atari100k": "atari", "dmc": "dmc", "minigrid": "minigrid"},
    **{"bsuite": "bsuite", "procgen": "procgen", "memory_maze": "memory_maze"},
    **{"minecraft": "minecraft", "dmlab": "dmlab", "loconav": "loconav"},
}
_REGISTERED = re.compile(r"gym_.*:.*-v\d+$")  # `gym_module:Name-v0`: the module registers the id
_DM = ("dm-control", "mujoco")
PACKAGES = {  # whose versions decide what a suite does
    **{"gym": ("gymnasium", "box2d", "pygame-ce"), "atari": ("ale-py",), "atari100k": ("ale-py",)},
    **{"dmc": _DM, "loconav": _DM, "memory_maze": ("memory-maze", *_DM), "minigrid": ("minigrid",)},
    **{"bsuite": ("bsuite",), "procgen": ("procgen2",), "minecraft": ("minerl",)},
}


class Task(NamedTuple):
    """Module with `make`, its block of the options `env`, and what is asked of it, if anything."""

    module: str
    block: str
    name: str = ""
    own: str = ""  # module of the user's class

    def options(self, tree):
        """The options of the environment in an option tree; {} for a module of your own."""
        return tree["env"].get(self.block, {})

    def packages(self):
        """Installed packages, beside those of every agent, that decide what it does."""
        return [name for name in PACKAGES.get(self.block, ()) if _installed(name)]

    def modules(self):
        """Modules whose sources decide what the environment does."""
        return [self.module, *([self.own] if self.own else [])]


def find(task):
    """The Task of a name, or a refusal that tells of the nearest known one."""
    if ":" in task and not _REGISTERED.match(task):
        return _own(task)
    if task in ALONE:
        return Task(f"dreamer.envs.{task}", task)
    fits = [prefix for prefix in SUITES if task.startswith(f"{prefix}_")]
    if fits:
        prefix = max(fits, key=len)
        name = task.removeprefix(f"{prefix}_")
        if name:
            return Task(f"dreamer.envs.{SUITES[prefix]}", prefix, name)
    if "." in task:
        return Task(task, task)
    raise Refused(f"there is no environment '{task}'; {_hint(task)}")


def is_class(name):
    """Whether the name of a Task of `gym` is module:Class, not an id (`module:Name-v0` is one)."""
    return ":" in name and name.rpartition(":")[2].isidentifier()


def options(tree):
    """The options of the environment of an option tree."""
    return find(tree["task"]).options(tree)


def world(tree):
    """The part of an option tree that decides how a world is played."""
    env = {find(tree["task"]).block: options(tree)}
    return {"task": tree["task"], "env": env, "seed": tree["seed"]}


def _hint(task):
    if task.rstrip("_") in SUITES:
        return f"add a name: {task.rstrip('_')}_NAME"
    known = [*ALONE, *SUITES]
    near = difflib.get_close_matches(task, known, 1) or difflib.get_close_matches(
        task.split("_")[0], known, 1
    )
    if near:
        return f"did you mean '{near[0]}{'_NAME' if near[0] in SUITES else ''}'?"
    names = ", ".join([*ALONE, *(f"{prefix}_NAME" for prefix in SUITES)])
    return f"there are {names}, and module:Class or file.py:Class of your own"


def _installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _own(task):
    place, _, name = task.rpartition(":")
    if place.endswith(".py"):
        if not Path(place).is_file():
            raise Refused(f"task is '{task}', but there is no file {place}")
        path = PurePath(place)
        if path.is_absolute() or ".." in path.parts:
            path = Path(place).resolve()
            if not path.is_relative_to(Path.cwd()):
                raise Refused(
                    f"task is '{task}', but the file must lie below the current folder, "
                    f"{Path.cwd()}; copy it there"
                )
            path = path.relative_to(Path.cwd())
        place = ".".join(path.with_suffix("").parts)
    if not place or not name.isidentifier():
        raise Refused(f"task is '{task}', but takes module:Class or file.py:Class")
    return Task("dreamer.envs.gym", "gym", f"{place}:{name}", place)
