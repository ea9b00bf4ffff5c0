"""Does what an environment tells in `info` fit what it says of itself, and what recordings hold?"""

import numpy as np

from dreamer.columns import FACINGS, VITALS
from jobs.errors import Refused

EVERY = ("position", "facing", "vitals", "achievements")  # told at every step or never
NO_AREA = (
    "the environment tells a position but not how large it is; give its class "
    'world = {"area": (WIDTH, HEIGHT)} in the units of the position'
)


def check(found, world, begun, over):
    """Refuse facts {name: array} of a step that no recording can hold.

    `world` is what the environment says of itself, with `area` in tiles as the position; `begun`
    are names of facts told at the reset, `over` says whether this is the episode's last step.
    """
    _check_told(found, world, begun, over)
    area = tuple(world["area"])
    shapes = {"position": (2,), "facing": (), "vitals": (len(VITALS),), "terrain": area}
    shapes |= {"terrain_changed": area, "achievements": (len(world["achievements"]),)}
    for name in shapes:
        if name in found and found[name].shape != shapes[name]:
            raise Refused(
                f"the environment's {name} in info has the shape {found[name].shape}, but by its "
                f"world it takes {shapes[name]}"
            )
    if "facing" in found and not 0 <= found["facing"] < len(FACINGS):
        raise Refused(f"the environment's facing must be an index into {', '.join(FACINGS)}")
    if "position" in found and not ((found["position"] >= 0) & (found["position"] < area)).all():
        raise Refused(
            f"the environment tells a position on the tile {found['position'].tolist()}, outside "
            f"of its area of {area[0]} x {area[1]} tiles, which count from 0"
        )


def tile(position, side):
    """The tile [2] of a position in units of which a tile has `side`."""
    numbers = np.asarray(position)
    if numbers.ndim != 1 or len(numbers) < 2 or not np.isfinite(numbers[:2]).all():
        raise Refused(f"the environment tells the position {numbers.tolist()}, which is no x and y")
    return np.floor(numbers[:2] / side).astype(np.int32)


def _check_told(found, world, begun, over):
    """Refuse facts that come and go."""
    if "position" in found and not all(world["area"]):
        raise Refused(NO_AREA)
    named = ["achievements"] if world["achievements"] else []
    wanted = [*named, *(name for name in EVERY if name in begun)]
    wanted += ["terrain_changed"] if over and "terrain" in begun else []
    missing = [name for name in wanted if name not in found]
    if missing:
        when = "at an episode's end" if missing[0] == "terrain_changed" else "at every step"
        raise Refused(f"the environment does not tell {missing[0]} in info {when}; it has to")
