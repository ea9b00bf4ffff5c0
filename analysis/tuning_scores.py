"""A layer's units in a few numbers, each beside what whole-episode swaps give for the same number.

In the shapes, U is units.
"""

import warnings

import numpy as np

from analysis.rows import row

SPATIAL_GAIN = 0.05  # share of variance above which a unit counts as spatially tuned
FACING_GAIN = 0.1
LEVEL = 0.05
NOT_YET = [
    "untrained-network control: not yet computed",
    "border share and border score: not yet computed",
    "place fields, autocorrelation and asymmetry: not yet computed",
    "cell classes: not yet computed",
    "sparsity, coherence and correlation between halves of the data: not yet computed",
]


def statistics():
    """[(score, metric, function [..., U] -> [...], unit)]: the numbers that sum up a layer."""
    variance, information, share = "share of variance", "bits per spike", "share of units"
    return [
        ("variance explained by position, median unit", "ev_place", _median, variance),
        ("variance explained by position, 90th percentile", "ev_place", _high, variance),
        ("variance explained by facing, median unit", "ev_facing", _median, variance),
        ("spatial information, median unit", "si", _median, information),
        ("facing information, median unit", "hd", _median, information),
        ("variance explained by position, best unit", "ev_place", _best, variance),
        (f"units with spatial gain above {SPATIAL_GAIN}", "spatial_gain", _tuned, share),
        (f"units with facing gain above {FACING_GAIN}", "facing_gain", _turned, share),
        (f"units with previous-action gain above {FACING_GAIN}", "action_gain", _turned, share),
    ]


def summary(tables, nulls):
    """Rows of the report's table from {layer: {column: [U]}} and {layer: {metric: [draws, U]}}.

    A value beside a chance level comes from the same steps as that level.
    """
    rows = []
    for layer, table in tables.items():
        null = nulls[layer]
        for score, metric, function, unit in statistics():
            values = table[f"{metric}_cut"] if null else table[metric]
            if np.isfinite(values).any():
                chance, name = _chance(function, null[metric]) if null else (None, None)
                value = float(function(values))
                rows.append(row(score, value, unit, "high", chance, name, layer))
        if null and len(null["si"]) + 1 >= 1 / LEVEL:  # fewer draws cannot give so small a p
            rows += _significant(layer, table)
    return rows


def _chance(function, null):
    """(mean over draws, name) of a number under swaps from null [draws, U]; None where none is."""
    known = null[np.isfinite(null).any(axis=-1)]
    if not len(known):
        return None, None
    return float(function(known).mean()), f"whole-episode swaps, {len(known)} draws"


def _significant(layer, table):
    """Share of units whose spatial gain (or EV without facing) beats 95% of the swaps."""
    metric = "spatial_gain" if np.isfinite(table["spatial_gain"]).any() else "ev_place"
    p = table[f"{metric}_p"]
    p = p[np.isfinite(p)]
    if len(p):
        label = "spatial gain" if metric == "spatial_gain" else "variance explained by position"
        score, value = f"units whose {label} beats 95% of swaps", float((p <= LEVEL).mean())
        yield row(score, value, "share of units", "high", LEVEL, "units without any tuning", layer)


def _median(values):
    return _quiet(np.nanmedian, values)


def _high(values):
    return _quiet(np.nanpercentile, values, 90)


def _best(values):
    return _quiet(np.nanmax, values)


def _tuned(values):
    return _share(values, SPATIAL_GAIN)


def _turned(values):
    return _share(values, FACING_GAIN)


def _share(values, least):
    """Share above `least` of the units [..., U] that have a value."""
    return _quiet(np.nanmean, np.where(np.isfinite(values), values > least, np.nan))


def _quiet(function, values, *more):
    """Over units [..., U] that have a value; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(values, *more, axis=-1)
