"""Do two recordings belong together? What would give a number without meaning is refused.

In the shapes, T is steps.
"""

from hashlib import sha256

import numpy as np

from dreamer import trajectory
from jobs.errors import Refused


def refuse_untestable(train, test):
    """Refuse a `test` recording of another world or other units, or with an episode of `train`."""
    area, other = (trajectory.header(path)["area"] for path in (train, test))
    if list(area) != list(other):
        raise Refused(
            f"{train} plays a world of {area}, but {test} one of {other}; tiles do not correspond, "
            "so give a test recording of the same world"
        )
    refuse_other_units(train, test)
    shared = episodes(train).keys() & episodes(test).keys()
    if shared:
        raise Refused(
            f"{len(shared)} of the episodes of {test} are in {train} too, so that a test on them "
            "would measure memory; give other episodes, or split by episode"
        )


def refuse_other_units(known, other):
    """Refuse `other` where a layer of both recordings is not the same units."""
    found = [trajectory.header(path)["layers"] for path in (known, other)]
    for name in found[0].keys() & found[1].keys():
        ours, theirs = ((item[name]["width"], item[name].get("units")) for item in found)
        if ours != theirs:
            raise Refused(
                f"{name} is {ours[0]} units in {known} and {theirs[0]} units, or others, in "
                f"{other}; record the same units of the same agent"
            )


def episodes(path):
    """{digest of what tells an episode from others, and of its rewards: its number}.

    Without actions the narrowest layer stands in for them, and for the observations that a
    recording shown to other networks does not repeat.
    """
    header = trajectory.header(path)
    layers = header["layers"]
    names = [name for name in (*trajectory.telling(header), "reward") if trajectory.has(path, name)]
    if "action" not in names or "networks" in header:
        names += sorted(layers, key=lambda name: layers[name]["width"])[:1]
    read = trajectory.read(path, ["episode", *names])
    ends = np.flatnonzero(np.diff(read["episode"])) + 1
    parts = zip(*(np.split(read[name], ends) for name in ("episode", *names)), strict=True)
    return {
        sha256(b"|".join(np.stack(item).tobytes() for item in rest)).hexdigest(): int(number[0])
        for number, *rest in parts
    }
