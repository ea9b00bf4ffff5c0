"""What a foreign agent sees and does, told by the shapes of its parameters."""

import re

from dreamer.trajectory import POSITION
from jobs.errors import Refused

VECTORS = {POSITION: 2}  # observations beside the image that the environment can give: their width
DIMENSIONS = {
    **{"enc/cnn0/kernel": 4, "enc/mlp0/kernel": 2, "dec/imgout/kernel": 4},
    "pol/head/action/logits/kernel": 2,
}
HEAD = re.compile(r"dec/vec/(.+)/(pred|logits)/kernel")


def keys(shapes, told, path):
    """{enc, dec: regular expression of the observations it works with} from {parameter: shape}.

    `told`: whether the run's config says that the agent is given its position. What the shapes do
    not tell, or Crafter cannot give, is refused by name; `path` is the file they come from.
    """
    _check(shapes, path)
    decoded = {
        found[1]: _head(found, shapes, path) for found in map(HEAD.fullmatch, shapes) if found
    }
    encoded = _encoded(shapes, decoded, told, path)
    images = {"enc": "enc/cnn0/kernel", "dec": "dec/imgout/kernel"}
    for part, name in images.items():
        channels = shapes[name][2 if part == "enc" else 3] if name in shapes else 3
        if channels != 3:
            raise Refused(
                f"{path} has {name} {list(shapes[name])}: it works with {channels} channels, and "
                "which images beside one of 3 channels these are cannot be known"
            )
    seen = {"enc": encoded, "dec": sorted(decoded)}
    return {
        part: _pattern([*(["image"] if images[part] in shapes else []), *names])
        for part, names in seen.items()
    }


def check_actions(shapes, count, path):
    """Refuse another number of actions than the environment's, or continuous ones."""
    name = "pol/head/action/logits/kernel"
    if name not in shapes:
        raise Refused(f"{path} has no {name}, so its actions are not Crafter's discrete ones")
    if shapes[name][1] != count:
        raise Refused(
            f"{path} has {name} {list(shapes[name])}: {shapes[name][1]} actions, but Crafter has "
            f"{count}"
        )


def _check(shapes, path):
    """Refuse parameters of other dimensions than those by which observations are told."""
    for name, shape in shapes.items():
        wanted = DIMENSIONS.get(name, 2 if HEAD.fullmatch(name) else len(shape))
        if len(shape) != wanted:
            raise Refused(f"{path} has {name} {list(shape)}, but it has {wanted} dimensions")


def _head(found, shapes, path):
    """Width of a decoded vector, after making sure that the environment can give it."""
    key, kind, width = found[1], found[2], shapes[found[0]][1]
    if kind != "pred" or VECTORS.get(key) != width:
        known = ", ".join(f"{name} ({size} numbers)" for name, size in VECTORS.items())
        what = "numbers" if kind == "pred" else "classes"
        raise Refused(
            f"{path} decodes the observation {key} ({width} {what}), which Crafter here does not "
            f"give; beside the image it gives {known}"
        )
    return width


def _encoded(shapes, decoded, told, path):
    """Names of the vectors that the encoder takes."""
    name = "enc/mlp0/kernel"
    if name not in shapes:
        return []
    width = shapes[name][0]
    if decoded and sum(decoded.values()) == width:
        return sorted(decoded)
    if told and VECTORS[POSITION] == width:
        return [POSITION]
    raise Refused(
        f"{path} has {name} {list(shapes[name])}: it encodes {width} numbers beside the image, but "
        f"its decoder names {', '.join(sorted(decoded)) or 'none'}, so which observations these "
        "are cannot be known"
    )


def _pattern(names):
    return f"^{names[0]}$" if len(names) == 1 else f"^({'|'.join(names)})$"
