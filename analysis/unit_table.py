"""The table of measures of a layer's units, chunk by chunk so that memory stays bounded.

In the shapes, T is steps, U units, W x H the world in tiles.
"""

import numpy as np

from analysis import autocorrelation, information, map_quality, rate_maps
from analysis.unit_metrics import METRICS, SHAPES
from dreamer import trajectory

CHUNK = 256  # units measured together
# What is known of a unit without knowing where the agent was.
PLACELESS = ("hd", "ev_facing", "ev_action", "negative")


def layer(activity, study, area):
    """(table {column: [U]}, null {metric: [draws, U]}, maps [U, W, H]) of activity [T, U].

    Each of METRICS has columns `_cut` (on the steps that the swaps use), `_null` (mean over swaps)
    and `_p` beside it. Units with NaN or infinite activity get NaN everywhere and `finite` False.
    """
    chunks = [
        _chunk(activity[:, start : start + CHUNK], study, area)
        for start in range(0, activity.shape[1], CHUNK)
    ]
    tables, nulls, maps = zip(*chunks, strict=True)
    return _joined(tables, 0), _joined(nulls, 1), np.concatenate(maps)


def unplaced(table, null, maps):
    """What `layer` gives, with NaN for all that needs positions, where none were recorded."""
    kept = {f"{name}{end}" for name in PLACELESS for end in ("", "_cut", "_null", "_p")}
    kept |= {name for name in table if name.startswith("facing_") and "gain" not in name}

    def blank(found):
        return {
            name: values
            if name in kept or values.dtype.kind != "f"
            else np.full_like(values, np.nan)
            for name, values in found.items()
        }

    return blank(table), blank(null), np.full_like(maps, np.nan)


def _chunk(activity, study, area):
    options, finite = study.options, np.isfinite(activity).all(axis=0)
    activity = np.where(finite, activity, 0)
    observed, cut, null, p = study.units(activity)
    null = {name: np.where(finite, values, np.nan).astype("float32")
            for name, values in null.items()}  # fmt: skip
    mapped = activity[: study.mapped]
    quality, maps = published(mapped, study, area)
    numbers = observed | quality | {f"{name}_cut": cut[name] for name in (*METRICS, *SHAPES)}
    missing = np.full(len(finite), np.nan)
    numbers |= {f"{name}_null": null[name].mean(axis=0) if null else missing for name in METRICS}
    numbers |= {f"{name}_p": p[name] for name in METRICS}
    numbers["negative"] = (mapped < 0).mean(axis=0)
    active = (np.abs(mapped) > options["active_eps"]).sum(axis=0)
    flags = {
        "active_steps": active,
        "finite": finite,
        "dead": finite & (np.ptp(activity, axis=0) == 0),
        "rarely_active": finite & (active < options["min_active"]),
    }
    table = {name: np.where(finite, values, np.nan) for name, values in numbers.items()} | flags
    return table, null, np.where(finite[:, None, None], maps, np.nan).astype("float32")


def published(activity, study, area):
    """({measure: [U]}, maps [U, W, H]): measures without a null, from activity [T, U]."""
    activity, place = np.asarray(activity, float), study.whole.place
    maps = rate_maps.spread(place.means(activity), place.bins, area)
    part = _cropped(maps, place, area)
    found = autocorrelation.shapes(part) | {"coherence": map_quality.coherence(part)}
    found["half_correlation"] = halves(activity, study)
    found |= informed(activity, study) | facing_means(activity, study.behaviour.facing)
    return found, maps


def informed(activity, study):
    """{si, hd, sparsity, border_score} [U] of activity [T, U] made non-negative."""
    options, prepared = study.options, study.whole
    active = (np.abs(activity) > options["active_eps"]).sum(axis=0) >= options["min_active"]
    activity = information.transformed(activity, options["transform"])
    rates = prepared.place.means(activity)
    found = {"si": np.where(active, information.skaggs(rates, prepared.place.steps), 0)}
    if prepared.facing is not None:
        turned = prepared.facing.means(activity)
        found["hd"] = np.where(active, information.skaggs(turned, prepared.facing.steps), 0)
    found["sparsity"] = map_quality.sparsity(rates, prepared.place.steps)
    found["border_score"] = np.full(len(active), np.nan)
    if prepared.near is not None:
        found["border_score"] = map_quality.border_score(rates, prepared.near, prepared.far)
    return found


def halves(activity, study):
    """Correlation [U] over tiles of the maps of every other episode with those of the rest."""
    episode = study.episode[: study.mapped]
    odd = np.unique(episode, return_inverse=True)[1] % 2 == 1
    if not odd.any():  # a single episode: its first and second half
        odd = np.arange(len(episode)) >= len(episode) // 2
    least, maps = study.options["min_occupancy"], []
    for side in (odd, ~odd):
        part = rate_maps.binned(study.behaviour.place[: study.mapped][side], least)
        maps.append((part.bins, part.means(activity[side])))
    (first, ours), (second, theirs) = maps
    _, rows, others = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return map_quality.correlation(ours[rows], theirs[others])


def facing_means(activity, facing):
    """{facing_left ...: mean activity [U]}, NaN where the agent never faced that way."""
    found = {f"facing_{name}": np.full(activity.shape[1], np.nan) for name in trajectory.FACINGS}
    if facing is not None:
        turned = rate_maps.binned(facing[: len(activity)])
        for index, values in zip(turned.bins, turned.means(activity), strict=True):
            found[f"facing_{trajectory.FACINGS[index]}"] = values
    return found


def _cropped(maps, place, area):
    """The part of maps [U, W, H] that holds the unmasked tiles."""
    if not len(place.bins):
        return maps[:, :0, :0]
    x, y = np.divmod(place.bins, area[1])
    return maps[:, x.min() : x.max() + 1, y.min() : y.max() + 1]


def _joined(parts, axis):
    return {name: np.concatenate([part[name] for part in parts], axis=axis) for name in parts[0]}
