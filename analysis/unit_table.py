"""The table of measures of a layer's units, chunk by chunk so that memory stays bounded.

In the shapes, T is steps, U units, W x H the world in tiles.
"""

import numpy as np

from analysis import rate_maps
from analysis.unit_metrics import METRICS

CHUNK = 256  # units measured together


def layer(activity, study, steps, area, options):
    """(table {column: [U]}, null {metric: [draws, U]}, maps [U, W, H]) of activity [T, U].

    Each metric has columns `_cut` (on the steps that the swaps use), `_null` (mean over swaps) and
    `_p` beside it. Units with NaN or infinite activity get NaN everywhere and `finite` False.
    """
    chunks = [
        _chunk(activity[:, start : start + CHUNK], study, steps, area, options)
        for start in range(0, activity.shape[1], CHUNK)
    ]
    tables, nulls, maps = zip(*chunks, strict=True)
    return _joined(tables, 0), _joined(nulls, 1), np.concatenate(maps)


def _chunk(activity, study, steps, area, options):
    finite = np.isfinite(activity).all(axis=0)
    activity = np.where(finite, activity, 0)
    observed, cut, null, p = study.units(activity, options)
    null = {name: np.where(finite, values, np.nan) for name, values in null.items()}
    maps, _ = rate_maps.rate_maps(activity, steps["x"], steps["y"], area, options["min_occupancy"])
    active = (np.abs(activity) > options["active_eps"]).sum(axis=0)
    missing = np.full(len(finite), np.nan)
    numbers = observed | {f"{name}_cut": cut[name] for name in METRICS}
    numbers |= {f"{name}_null": null[name].mean(axis=0) if null else missing for name in METRICS}
    numbers |= {f"{name}_p": p[name] for name in METRICS}
    numbers["negative"] = (activity < 0).mean(axis=0)
    flags = {
        "active_steps": active,
        "finite": finite,
        "dead": finite & (np.ptp(activity, axis=0) == 0),
        "rarely_active": finite & (active < options["min_active"]),
    }
    table = {name: np.where(finite, values, np.nan) for name, values in numbers.items()} | flags
    return table, null, np.where(finite[:, None, None], maps, np.nan).astype("float32")


def _joined(parts, axis):
    return {name: np.concatenate([part[name] for part in parts], axis=axis) for name in parts[0]}
