"""A layer's units in a few numbers, beside what whole-episode swaps and no training give.

In the shapes, U is units.
"""

import warnings

import numpy as np

from analysis.rows import row
from analysis.swaps import p_value

LEVEL = 0.05
NO_CONTROL = "untrained-network control: no recording of an untrained network was given"


def statistics():
    """[(score, metric, function [..., U] -> [...], unit)]: the numbers that sum up a layer."""
    variance, information = "share of variance", "bits per spike"
    return [
        ("variance explained by position, median unit", "ev_place", _median, variance),
        ("variance explained by position, 90th percentile", "ev_place", _high, variance),
        ("variance explained by facing, median unit", "ev_facing", _median, variance),
        ("spatial information, median unit", "si", _median, information),
        ("facing information, median unit", "hd", _median, information),
        ("variance explained by position, best unit", "ev_place", _best, variance),
    ]


def summary(tables, nulls, null_name):
    """Rows of the report's table from tables and nulls by (network, layer).

    Tables are {column: [U]}, nulls {metric: [draws, U]}. A value beside a chance level comes from
    the same steps as that level; so does its untrained control.
    """
    rows = []
    for (network, layer), table in tables.items():
        if network == "trained":
            other = tables.get(("untrained", layer))
            rows += _layer(layer, table, other, nulls[network, layer], null_name)
    return rows


def _layer(layer, table, other, null, null_name):
    for score, metric, function, unit in statistics():
        column = f"{metric}_cut" if null else metric
        if np.isfinite(table[column]).any():
            value, control = float(function(table[column])), None
            drawn = _chance(function, null[metric], value, null_name) if null else {}
            if other is not None and np.isfinite(other[column]).any():
                control = float(function(other[column]))
            yield row(score, value, unit, "high", layer=layer, control=control, **drawn)
    if null and len(null["si"]) + 1 >= 1 / LEVEL:  # fewer draws cannot give so small a p
        yield from _significant(layer, table, other)


def _chance(function, null, value, null_name):
    """{chance, chance_name, p} of a number under swaps from null [draws, U]; {} where none is."""
    known = null[np.isfinite(null).any(axis=-1)]
    if not len(known):
        return {}
    drawn = function(known)
    chance, p = float(np.mean(drawn, dtype=float)), float(p_value(drawn, value, "high"))
    return {"chance": chance, "chance_name": f"{null_name}, {len(known)} draws", "p": p}


def _significant(layer, table, other):
    """Share of units whose spatial gain (or EV without facing) beats 95% of the swaps."""
    faced = np.isfinite(table["spatial_gain"]).any()
    metric = "spatial_gain_p" if faced else "ev_place_p"
    label = "spatial gain" if faced else "variance explained by position"
    shares = [_passing(item[metric]) if item else None for item in (table, other)]
    if shares[0] is not None:
        score, name = f"units whose {label} beats 95% of swaps", "units without any tuning"
        unit = "share of units"
        yield row(score, shares[0], unit, "high", LEVEL, name, layer, control=shares[1])


def _passing(p):
    p = p[np.isfinite(p)]
    return float((p <= LEVEL).mean()) if len(p) else None


def _median(values):
    return _quiet(np.nanmedian, values)


def _high(values):
    return _quiet(np.nanpercentile, values, 90)


def _best(values):
    return _quiet(np.nanmax, values)


def _quiet(function, values, *more):
    """Over units [..., U] that have a value; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(values, *more, axis=-1)
