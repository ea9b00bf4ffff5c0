"""Options that cannot work together or lie outside of their range are refused, without any JAX.

Training does this before it starts and the workflow before any job; types and signs are checked
where options are resolved (`dreamer.options`).
"""

import importlib
import math
import re
from functools import partial
from types import SimpleNamespace

from dreamer import options, tasks
from jobs import files
from jobs.errors import Refused

SIDE = 1024  # tiles
RANGES = {  # least value, and the largest or, with a False, the first that is too large
    r".*\.(depth|units|deter|hidden|stoch|classes|blocks)": (1, 2**20, True),
    r".*\.layers": (1, 100, True),
    r"(rew|val)\.bins": (2, 2**20, True),
    r"run\.updates_per_call": (1, math.inf, True),
    r"dyn\.unimix": (0, 1, True),
    r"imag\.(length|horizon)": (1, math.inf, True),
    r"imag\.lam": (0, 1, True),
    r"(slowval|retnorm)\.rate": (0, 1, True),
    r"retnorm\.(low|high)": (0, 100, True),
    r"retnorm\.floor|opt\.(eps|pmin)|pol\.minstd": (1e-30, math.inf, True),
    r"opt\.beta[12]": (0, 1, False),
    r"replay\.(maxfrac|curious\.beta)": (0, 1, True),
    r"replay\.(exponent|curious\.eps)": (1e-30, math.inf, True),
    r"replay\.(stats|cache)_every": (1, math.inf, True),
    r"replay\.curious\.(c|initial)": (0, 1e30, True),
    r"replay\.(recency|curious\.alpha)": (0, 10, True),
}


def check(tree):
    """Refuse an option tree that could not be trained."""
    flat = options.flatten(tree)
    for pattern, (least, most, included) in RANGES.items():
        for name in filter(re.compile(pattern).fullmatch, flat):
            _check_range(name, flat[name], least, most, included)
    _check_agent(tree)
    _check_run(tree["run"])
    _check_replay(tree["run"], tree["replay"])
    check_world(tree)


def check_offline(tree):
    """Refuse an option tree from which a family that learns from data cannot be built.

    Beside its `agent`, such a family has a module `config` with `freeze(options, spaces)`.
    """
    check_world(tree)
    if tree["run"]["snapshots"]:
        raise Refused("option run.snapshots keeps checkpoints by hand only; leave it out here")
    sides = {"crafter": 64, "square": tree["env"]["square"]["size"]}
    if tree["task"] in sides:  # of another world only playing tells what it shows
        image = SimpleNamespace(shape=(sides[tree["task"]],) * 2 + (3,), dtype="uint8")
        seen = SimpleNamespace(observation=(("image", image),), action=None)
        importlib.import_module(f"dreamer.{tree['agent']}.config").freeze(tree, seen)


def check_world(tree):
    """Refuse options of an environment that cannot be played."""
    known = {"crafter": check_crafter, "square": check_square}
    task = tasks.find(tree["task"])
    known.get(task.block, partial(check_suite, task.block))(task.options(tree))


def check_crafter(world):
    """Refuse options of Crafter (env.crafter) that it cannot play."""
    view, area = world["egocentric_view"], world["area"]
    if view and not (3 <= view <= 31 and view % 2):
        raise Refused(
            f"option env.crafter.egocentric_view is {view}, but takes 0 or an odd number, 3 to 31"
        )
    if len(area) != 2 or any(type(side) is not int for side in area):
        raise Refused(f"option env.crafter.area is {area}, but takes two whole numbers of tiles")
    if max(area) > SIDE:
        raise Refused(f"option env.crafter.area is {area}, but a side takes at most {SIDE} tiles")
    columns, rows = (view, view) if view else (9, 7)
    if area[0] < columns or area[1] < rows:
        raise Refused(
            f"option env.crafter.area is {area}, smaller than the view of {columns} x {rows} tiles"
        )
    if world["length"] < 1:
        raise Refused("option env.crafter.length is 0, but an episode needs at least one step")


def check_suite(block, world):
    """Refuse options that a suite of environments (env.<block>) cannot have."""
    size = world.get("size", [])
    if len(size) not in (0, 2) or any(not 0 < side <= SIDE for side in size):
        raise Refused(
            f"option env.{block}.size is {size}, but takes two whole numbers of pixels up to {SIDE}"
        )
    for name in ("repeat", "tile"):
        if not world.get(name, 1):
            raise Refused(f"option env.{block}.{name} is 0, but must be above zero")


def check_square(world):
    """Refuse options of the moving square (env.square) that leave no grid of places."""
    for name in ("size", "square", "goal", "move", "length"):
        if not 1 <= world[name] <= SIDE * SIDE:
            raise Refused(f"option env.square.{name} is {world[name]}, but takes 1 or more")
    size, square, goal, move = (world[name] for name in ("size", "square", "goal", "move"))
    if square >= size or (size - square) % move:
        raise Refused(
            f"option env.square.move is {move}, but must divide env.square.size - env.square.square"
            f", which is {size} - {square}, so that moves end at the borders"
        )
    if goal > square or (square - goal) % 2:
        raise Refused(
            f"option env.square.goal is {goal}, but must be env.square.square, {square}, or less "
            "by an even number of pixels, so that it lies in the middle of a tile"
        )


def _check_range(name, value, least, most, included):
    if least <= value < most or (value == most and included):
        return
    if most == math.inf:
        takes = "more than zero" if least < 1e-9 else f"at least {least}"
    else:
        takes = f"{least} to {most}" if included else f"{least} to less than {most}"
    raise Refused(f"option {name} is {value}, but takes {takes}")


def _check_agent(tree):
    dyn, low, high = tree["dyn"], tree["retnorm"]["low"], tree["retnorm"]["high"]
    if dyn["deter"] % dyn["blocks"]:
        raise Refused(
            f"option dyn.deter is {dyn['deter']}, but must be a multiple of dyn.blocks, which is "
            f"{dyn['blocks']}"
        )
    if low >= high:
        raise Refused(f"option retnorm.low is {low}, but must be below retnorm.high, {high}")
    if tree["pol"]["minstd"] > tree["pol"]["maxstd"]:
        raise Refused("option pol.minstd is above pol.maxstd; give a smaller one")
    for part in ("enc", "dec"):
        mults, keys = tree[part]["mults"], tree[part]["keys"]
        if not mults or min(mults) < 1:
            raise Refused(f"option {part}.mults is {mults}, but takes whole numbers above zero")
        try:
            re.compile(keys)
        except re.error as error:
            raise Refused(
                f"option {part}.keys is '{keys}', but takes a regular expression ({error})"
            ) from None


def _check_run(run):
    for step in run["snapshots"]:
        if type(step) is not int or not 0 < step <= run["steps"]:
            raise Refused(
                f"option run.snapshots holds {step!r}, but takes environment steps from 1 to "
                f"run.steps, which is {run['steps']}"
            )
    if len(set(run["snapshots"])) < len(run["snapshots"]):
        raise Refused(f"option run.snapshots is {run['snapshots']}, but takes each step once")
    if run["devices"] > 1 and run["batch_size"] % run["devices"]:
        raise Refused(
            f"option run.batch_size is {run['batch_size']}, but must be a multiple of run.devices, "
            f"which is {run['devices']}"
        )
    start = run["from_checkpoint"]
    if start:
        files.need(start, "give a checkpoint", "option run.from_checkpoint: ")


def _check_replay(run, replay):
    if replay["context"] != 1:
        raise Refused(
            f"option replay.context is {replay['context']}, but agents start from the belief of "
            "exactly one step: 1"
        )
    window = run["batch_length"] + replay["context"]
    if replay["size"] < run["envs"] * window:
        raise Refused(
            f"option replay.size is {replay['size']}, but {run['envs']} environments with windows "
            f"of {window} steps need at least {run['envs'] * window}"
        )
