"""What decides shapes and formulas of an agent: option blocks and spaces, frozen and hashable."""

import re
from collections import namedtuple

import numpy as np

from dreamer import nets
from dreamer.options import frozen
from jobs.errors import Refused

BLOCKS = (
    "enc", "dyn", "dec", "rew", "con", "pol", "val", "imag", "slowval", "retnorm", "loss", "opt",
)  # fmt: skip
FLAGS = ("is_first", "is_last", "is_terminal", "reward")
Config = namedtuple("Config", (*BLOCKS, "dtype", "spaces"))


def freeze(options, spaces):
    """Config from the whole option tree (dreamer.options.resolve) and Spaces."""
    blocks = {name: frozen(name, options[name]) for name in BLOCKS}
    config = Config(**blocks, dtype=options["dtype"], spaces=spaces)
    _check(config)
    return config


def dtype(config):
    """Type of the computation: bfloat16 on accelerators, float32 on a CPU, unless chosen."""
    return nets.compute_dtype(config.dtype)


def seen(config, part):
    """((name, Space), ...) of the observations that `part` (enc or dec) works with."""
    pattern = re.compile(getattr(config, part).keys)
    return tuple(
        (name, space)
        for name, space in config.spaces.observation
        if pattern.search(name) and name not in FLAGS and not name.startswith("log_")
    )


def images(items):
    """Those of `seen` that are images: uint8 [H, W, C]."""
    return tuple(item for item in items if item[1].dtype == "uint8" and len(item[1].shape) == 3)


def vectors(items):
    """Those of `seen` that are not images: numbers or categories."""
    return tuple(item for item in items if item not in images(items))


def width(space):
    """Numbers that a vector observation or an action takes as network input."""
    size = 1
    for length in (*space.shape, space.classes or 1):
        size *= length
    return size


def possible(space):
    """Mask [*shape, classes] of the categories that exist, or None where all do."""
    counts = np.array(space.high).reshape(space.shape) if space.classes and space.shape else None
    if counts is None or (counts == space.classes).all():
        return None
    return np.arange(space.classes) < counts[..., None]


def _check(config):
    for part in ("enc", "dec"):
        items = seen(config, part)
        names = ", ".join(name for name, _ in config.spaces.observation)
        if not items:
            pattern = getattr(config, part).keys
            raise Refused(f"option {part}.keys is '{pattern}', which matches none of: {names}")
        side = 2 ** len(getattr(config, part).mults)
        if any(size % side for _, space in images(items) for size in space.shape[:2]):
            raise Refused(
                f"an image seen by {part} is not a multiple of {side} pixels on each side; the "
                "option size of most environments resizes it"
            )
        if len({space.shape[:2] for _, space in images(items)}) > 1:
            raise Refused(
                f"the images seen by {part} differ in size; the option size of most environments "
                f"makes them equal, or {part}.keys chooses among {names}"
            )
    if config.dyn.deter % config.dyn.blocks:
        raise Refused(
            f"option dyn.deter is {config.dyn.deter}, but must be a multiple of dyn.blocks"
        )
