"""Every measure of every unit, for behaviour as it was and for behaviour swapped between episodes.

In the shapes, T is steps, U units.
"""

from typing import NamedTuple

import numpy as np

from analysis import information, swaps
from analysis.explained import Cells, standardised

FACING = ("hd", "ev_facing", "ev_both", "spatial_gain", "facing_gain")
METRICS = ("si", "ev_place", *FACING, "ev_action", "action_gain")


class Behaviour(NamedTuple):
    """What the agent did, one entry per step; None where the recording does not say."""

    place: np.ndarray  # [T] tile as one number
    facing: np.ndarray | None  # [T] 0 to 3
    action: np.ndarray | None  # [T] the action that led to the step; one more category at a reset
    fold: np.ndarray | None  # [T] held-out part; None with a single episode

    def take(self, rows, fold):
        """The behaviour of other `rows` beside activity whose folds are `fold`."""
        parts = [None if item is None else item[rows] for item in self[:3]]
        return Behaviour(*parts, fold)


class Prepared:
    """One behaviour with all that depends on it alone, ready for any number of units."""

    def __init__(self, behaviour, tiles, min_occupancy):
        """`tiles` is the number of tiles of the world."""
        self.behaviour, self.tiles, self.min_occupancy = behaviour, tiles, min_occupancy
        self.cells = {}
        if behaviour.fold is not None:
            none = np.zeros_like(behaviour.place)
            sides = {"facing": behaviour.facing, "action": behaviour.action}
            known = {name: side for name, side in sides.items() if side is not None}
            self.cells = {
                name: Cells(behaviour.place, side, behaviour.fold, min_occupancy)
                for name, side in (known or {"place": none}).items()
            }

    def measure(self, positive, scaled, active):
        """{metric: [U]} from activity made non-negative and standardised (both [T, U]).

        Units that are not `active` [U] carry no information. NaN where something is not recorded.
        """
        found = {name: np.full(scaled.shape[1], np.nan) for name in METRICS}
        place, facing = self.behaviour.place, self.behaviour.facing
        si = information.information(positive, place, self.tiles, self.min_occupancy)
        found["si"] = np.where(active, si, 0.0)
        if facing is not None:
            found["hd"] = information.information(positive, facing, 4)
        for name, cells in self.cells.items():
            ev = cells.explained(scaled)
            found["ev_place"] = ev["place"]
            if name != "place":
                found[f"ev_{name}"] = ev["category"]
                found[f"{name}_gain"] = gain(ev["both"], ev["place"])
            if name == "facing":
                found["ev_both"] = ev["both"]
                found["spatial_gain"] = gain(ev["both"], ev["category"])
        return found


def gain(both, other):
    """Explained variance [U] that `both` [U] adds to `other` [U], each counted from 0 up."""
    # Maps can predict worse than the mean. The plain difference of two very negative shares has no
    # ceiling: it would call units tuned that neither model predicts at all.
    return np.maximum(both, 0) - np.maximum(other, 0)


class Study:
    """The behaviour of a recording: as it was, cut as the null needs it, and swapped."""

    def __init__(self, behaviour, episode, area, options):
        """`episode` [T]; options min_occupancy, n_null, seed. No null under ten episodes."""
        tiles, least = area[0] * area[1], options["min_occupancy"]
        self.behaviour = behaviour
        self.whole = Prepared(behaviour, tiles, least)
        self.cut, self.swapped, self.rows = None, [], np.arange(0)
        if options["n_null"] and len(np.unique(episode)) >= swaps.MIN_EPISODES:
            groups, rng = swaps.blocks(episode), np.random.default_rng(options["seed"])
            self.rows = swaps.identity(groups)
            others = [self.rows, *(swaps.draw(groups, rng) for _ in range(options["n_null"]))]
            self.cut, *self.swapped = (
                Prepared(behaviour.take(rows, behaviour.fold[self.rows]), tiles, least)
                for rows in others
            )

    def units(self, activity, options):
        """(observed, cut, null, p) of activity [T, U]: {metric: [U]}, null {metric: [draws, U]}.

        `cut` is observed on the steps that the null has; p compares these two. Without a null,
        `cut` and p are NaN and the null is empty.
        """
        positive = information.transformed(activity, options["transform"])
        scaled = standardised(activity)
        active = (np.abs(activity) > options["active_eps"]).sum(axis=0) >= options["min_active"]
        observed = self.whole.measure(positive, scaled, active)
        if self.cut is None:
            missing = {name: np.full(len(active), np.nan) for name in METRICS}
            return observed, missing, {}, missing
        positive, scaled = positive[self.rows], scaled[self.rows]
        cut = self.cut.measure(positive, scaled, active)
        draws = [item.measure(positive, scaled, active) for item in self.swapped]
        null = {name: np.stack([draw[name] for draw in draws]) for name in METRICS}
        p = {name: p_values(null[name], cut[name]) for name in METRICS}
        return observed, cut, null, p


def p_values(null, observed):
    """p [U] of `observed` [U] against null [draws, U]; NaN where either is."""
    known = np.isfinite(observed) & np.isfinite(null).all(axis=0)
    return np.where(known, swaps.p_value(null, observed, "high"), np.nan)
