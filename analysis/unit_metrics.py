"""Every measure that has a null: of all units at once, for behaviour as it was or swapped.

In the shapes, T is steps, U units, B the tiles with enough steps.
"""

from typing import NamedTuple

import numpy as np

from analysis import fields, information, map_quality, rate_maps, walls
from analysis.explained import Cells, standardised

# Measures whose p counts null values at least as high.
METRICS = (
    "si", "hd", "ev_place", "ev_facing", "ev_both", "spatial_gain", "facing_gain",
    "ev_action", "action_gain", "border_share",
)  # fmt: skip
# What the classes need of every swap, besides.
SHAPES = ("border_contrast", "fields", "cover")
FLOOR = 0.05  # explained variance by position below which a border share is taken of this much


class Behaviour(NamedTuple):
    """What the agent did, one entry per step; None where the recording does not say."""

    place: np.ndarray  # [T] tile as one number
    facing: np.ndarray | None  # [T] 0 to 3
    action: np.ndarray | None  # [T] the action that led to the step; one more category at a reset
    walls: np.ndarray | None  # [T, 4] tiles to the wall left, right, up, down
    fold: np.ndarray | None  # [T] held-out part; None with a single episode

    def take(self, rows, fold):
        """The behaviour of other `rows` beside activity whose folds are `fold`."""
        parts = [None if item is None else item[rows] for item in self[:4]]
        return Behaviour(*parts, fold)


class Activity(NamedTuple):
    """A layer's units in the forms that the measures need."""

    positive: np.ndarray  # [T, U] made non-negative
    scaled: np.ndarray  # [T, U] standardised
    active: np.ndarray  # [U] whether a unit is active often enough to carry information
    squares: np.ndarray  # [U] sums of the squares of `scaled`

    def take(self, rows):
        """The same units on other steps."""
        scaled = self.scaled[rows]
        return Activity(self.positive[rows], scaled, self.active, _squares(scaled))


def activity(values, options):
    """`Activity` of a layer's values [T, U]."""
    active = (np.abs(values) > options["active_eps"]).sum(axis=0) >= options["min_active"]
    scaled = standardised(values)
    positive = information.transformed(values, options["transform"])
    return Activity(positive, scaled, active, _squares(scaled))


class Prepared:
    """One behaviour with all that depends on it alone, ready for any number of units."""

    def __init__(self, behaviour, area, least, mapped, held=None):
        """`least` steps unmask a tile, the first `mapped` make maps, `held` folds are tested."""
        main = slice(mapped)
        self.area, self.main, self.cells = area, main, None
        place, facing = behaviour.place[main], behaviour.facing
        self.place = rate_maps.binned(place, least)
        self.facing = None if facing is None else rate_maps.binned(facing[main])
        self.near = self.far = None
        if behaviour.walls is not None:
            around = behaviour.walls[main]
            self.near, self.far = map_quality.nearness(self.place.bins, place, around)
        if behaviour.fold is not None:
            joint = {"facing": behaviour.facing, "action": behaviour.action}
            joint = {name: side for name, side in joint.items() if side is not None}
            near = [] if behaviour.walls is None else np.minimum(behaviour.walls, walls.FAR).T
            alone = dict(zip(walls.DIRECTIONS, near, strict=False))
            self.cells = Cells(behaviour.place, behaviour.fold, least, joint, alone, held)

    def measure(self, units, every=True):
        """{metric: [U]} of METRICS and SHAPES; NaN where something is not recorded.

        Not `every` unit needs its SHAPES: only those that position explains at all.
        """
        names = (*METRICS, *SHAPES, "ev_unshrunk")
        found = {name: np.full(units.scaled.shape[1], np.nan) for name in names}
        positive = units.positive[self.main]
        bits = information.skaggs(self.place.means(positive), self.place.steps)
        found["si"] = np.where(units.active, bits, 0)
        if self.facing is not None:
            bits = information.skaggs(self.facing.means(positive), self.facing.steps)
            found["hd"] = np.where(units.active, bits, 0)
        explained = self.cells.explained(units.scaled, units.squares) if self.cells else {}
        found |= gains(explained)
        side = np.zeros(len(units.active), int)
        if self.near is not None and explained:
            found["border_share"], side = border(explained)
        spatial = found["spatial_gain"] if "facing" in explained else found["ev_place"]
        some = np.arange(len(spatial)) if every else np.flatnonzero(spatial > 0)
        shapes = self.shapes(units.scaled[self.main][:, some], side[some])
        for name, values in shapes.items():
            found[name][some] = values
        return found

    def shapes(self, scaled, side):
        """SHAPES of standardised activity [T, U]; `side` [U] is the border's direction."""
        means = self.place.means(scaled)
        found = fields.shapes(means, self.place, self.area)
        contrast = np.full(len(side), np.nan)
        if self.near is not None:
            close, away = map_quality.by_walls(means, self.near, self.far)
            contrast = (close - away)[side, np.arange(len(side))]
        return {"border_contrast": contrast, "fields": found["fields"], "cover": found["cover"]}


def gains(explained):
    """{ev and gain metrics: [U]} from the explained variances of the models."""
    if not explained:
        return {}
    found = {"ev_place": explained["place"], "ev_unshrunk": explained["unshrunk"]}
    for name in ("facing", "action"):
        if name in explained:
            both = explained[f"place+{name}"]
            found[f"ev_{name}"] = explained[name]
            found[f"{name}_gain"] = gain(both, explained["place"])
    if "facing" in explained:
        found["ev_both"] = explained["place+facing"]
        found["spatial_gain"] = gain(explained["place+facing"], explained["facing"])
    return found


def gain(both, other):
    """Explained variance [U] that `both` [U] adds to `other` [U], the latter counted from 0 up."""
    # Maps can predict worse than the mean. The plain difference of two very negative shares has no
    # ceiling: it would call units tuned that neither model predicts at all. `both` is not counted
    # from 0 up, or the gains of noise would all be 0, and ties spoil p.
    return both - np.maximum(other, 0)


def border(explained):
    """(share, direction) [U]: the best distance to a wall against position, and which wall's."""
    found = np.stack([explained[name] for name in walls.DIRECTIONS])
    side = np.where(np.isfinite(found), found, -np.inf).argmax(axis=0)
    best = found[side, np.arange(len(side))]
    return best / np.maximum(explained["place"], FLOOR), side


def _squares(scaled):
    return np.einsum("tu,tu->u", scaled, scaled)
