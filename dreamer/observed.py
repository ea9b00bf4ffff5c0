"""What a recording keeps of observations and actions, so that another network can be shown them.

`image` and the place of an agent that is told it have columns of their own; every other observation
that the encoder takes gets one too. T is steps of an episode.
"""

import math
import re

import numpy as np
import pyarrow as pa

from dreamer import png, trajectory
from dreamer.columns import POSITION, observation

FLAGS = ("is_first", "is_last", "is_terminal", "reward")


def seen(agent):
    """((name, Space), ...) of the observations that an agent's encoder takes."""
    pattern = agent.options.get("enc", {}).get("keys", "")
    return tuple(
        (name, space)
        for name, space in agent.spaces.observation
        if re.search(pattern, name) and name not in FLAGS
    )


def header(agent, images):
    """What a recording's header says of them: observations {key: {shape, dtype, format}}, actions.

    Empty where `image` and one choice of several are all there is. Without `images` none is kept.
    """
    kept = {
        name: {"shape": list(space.shape), "dtype": space.dtype, "format": _format(space)}
        for name, space in seen(agent)
        if not _elsewhere(agent, name) and (images or not is_image(space))
    }
    return ({"observations": kept} if kept else {}) | actions(agent.spaces.action)


def actions(space):
    """{action_width} of actions that are several numbers, of categories {action_classes} too."""
    if space.classes and not space.shape:
        return {}
    found = {"action_width": math.prod(space.shape)}
    return found | ({"action_classes": space.classes} if space.classes else {})


def is_image(space):
    """Whether a Space is that of an image, uint8 [H, W, C]."""
    return space.dtype == "uint8" and len(space.shape) == 3


def encoded(about, values):
    """A column of the observations [T, *shape]."""
    if about["format"] == "PNG":
        return [png.encode(image) for image in values]
    return values.reshape(len(values), -1)


def columns(about, name):
    """The columns of a recording with the header `about` that tell of an observation."""
    if name in about.get("observations", {}):
        return [observation(name)]
    return ["x", "y"] if name == POSITION else [name]


def shape(path, about, name):
    """Shape of a recorded observation."""
    if name in about.get("observations", {}):
        return tuple(about["observations"][name]["shape"])
    if name == POSITION:
        return (2,)
    first = trajectory.open_file(path).read_row_group(0, columns=[name])[name][0]
    return np.shape(png.decode(first.as_py()))


def moments(table, about, name, space):
    """`at(step)`, an observation [*shape] of the episode in an Arrow table [T]."""
    found = [table[column].combine_chunks() for column in columns(about, name)]
    if pa.types.is_binary(found[0].type):
        data = found[0].to_pylist()
        return lambda step: png.decode(data[step])
    values = np.stack([numbers(column) for column in found], -1)
    values = values.reshape(len(table), *space.shape)
    return lambda step: values[step]


def numbers(column):
    """All numbers of an Arrow array, of lists one after the other."""
    flat = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
    return flat.to_numpy(zero_copy_only=False)


def _format(space):
    drawn = is_image(space) and space.shape[-1] in (1, 3)
    return "PNG" if drawn else "list"


def _elsewhere(agent, name):
    """Whether the contract has columns of its own for an observation."""
    image = name == "image" and "image" not in agent.header["world"]["absent"]
    return image or (name == POSITION and agent.options["task"] == "crafter")
