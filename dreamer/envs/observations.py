"""Observations of any Gymnasium environment as a flat dictionary of images, numbers and categories.

In the shapes, H x W is an image in pixels, C its channels.
"""

import math
import re

import gymnasium
import numpy as np
from gymnasium import spaces
from PIL import Image

from jobs.errors import Refused

TAKEN = ("action", "reward", "is_first", "is_last", "is_terminal", "info")  # names in a step


class Observations:
    """Calls turn an observation of `space` into {key: array} of `self.space` (Dict).

    A single observation is called `image` or `vector`; nested keys are joined by `/`. Images, which
    are uint8 [H, W] or [H, W, C], are resized to `size` [H, W] if that is given. Keys that `keys`
    (a regular expression) does not match are left out.
    """

    def __init__(self, space, keys=".*", size=()):
        leaves = {key: leaf for key, leaf, _ in _leaves(space)}
        pattern = _compiled(keys)
        kept = {key: leaf for key, leaf in leaves.items() if pattern.search(key)}
        if not kept:
            raise Refused(
                f"the option keys is '{keys}', which matches none of: {', '.join(sorted(leaves))}"
            )
        taken = [key for key in TAKEN if key in kept]
        if taken:
            raise Refused(
                f"an observation is called '{taken[0]}', as another part of a step; rename it, or "
                "leave it out by the option keys"
            )
        self._original, self._leaves = space, kept
        self._make = {key: _maker(key, leaf, tuple(size)) for key, leaf in kept.items()}
        self.space = spaces.Dict({key: made for key, (made, _) in self._make.items()})

    def __call__(self, observation):
        found = {key: value for key, _, value in _leaves(self._original, observation)}
        return {
            key: convert(_shaped(key, self._leaves[key], found[key]))
            for key, (_, convert) in self._make.items()
        }


def is_image(space):
    """Whether a space is that of an image."""
    return isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) in (2, 3)


def resized(image, size):
    """An image [H, W, C] of another size [H, W], by Pillow's bilinear filter."""
    if image.shape[:2] == tuple(size):
        return image
    parts = [image] if image.shape[-1] == 3 else np.moveaxis(image, -1, 0)
    done = [
        np.asarray(Image.fromarray(part).resize(size[::-1], Image.Resampling.BILINEAR))
        for part in parts
    ]
    return done[0] if image.shape[-1] == 3 else np.stack(done, -1)


def _leaves(space, observation=None, name=""):
    """(key, space, value) of every part of a nested space; values are None without observation."""
    parts = None
    if isinstance(space, spaces.Dict):
        parts = space.spaces.items()
    elif isinstance(space, spaces.Tuple):
        parts = enumerate(space.spaces)
    if parts is None:
        yield name or ("image" if is_image(space) else "vector"), space, observation
        return
    for key, part in parts:
        value = None if observation is None else observation[key]
        yield from _leaves(part, value, f"{name}/{key}" if name else str(key))


def _shaped(key, space, value):
    """A value of one part as an array of the shape that its space says."""
    if np.size(value) != math.prod(space.shape):
        raise Refused(
            f"observation '{key}' has the shape {np.shape(value)}, but its space says {space.shape}"
        )
    return np.reshape(value, space.shape)


def _maker(key, space, size):
    """(the space that the agent gets, a function of a value) of one part."""
    if is_image(space):
        return _image(space, size)
    if isinstance(space, spaces.Box):
        kind = np.uint8 if space.dtype == np.uint8 else np.float32
        return _box(space, kind), lambda value: np.asarray(value, kind)
    if isinstance(space, spaces.Discrete):
        start = space.start
        return spaces.Discrete(int(space.n)), lambda value: np.int64(value - start)
    if isinstance(space, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(space.nvec), lambda value: np.asarray(value - space.start)
    if isinstance(space, spaces.MultiBinary):
        counts = np.full(space.shape, 2)
        return spaces.MultiDiscrete(counts), lambda value: np.asarray(value, np.int64)
    raise Refused(
        f"observation '{key}' is a {type(space).__name__} space, which no agent here can see; "
        "leave it out by the option keys, or turn it into numbers, categories or an image"
    )


def _image(space, size):
    shape = space.shape if len(space.shape) == 3 else (*space.shape, 1)
    size = size or shape[:2]
    made = spaces.Box(0, 255, (*size, shape[-1]), np.uint8)
    return made, lambda value: resized(np.asarray(value).reshape(shape), size)


def _box(space, kind):
    low, high = (np.asarray(end, np.float64).astype(kind) for end in (space.low, space.high))
    return gymnasium.spaces.Box(low, high, space.shape, kind)


def _compiled(keys):
    try:
        return re.compile(keys)
    except re.error as error:
        raise Refused(
            f"the option keys is '{keys}', but takes a regular expression ({error})"
        ) from None
