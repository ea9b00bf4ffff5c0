"""What kind of cell is a unit? The first rule that fits names it.

`default` was tuned on planted units; `published` repeats the rules of earlier work for comparison.
A NaN metric fails its comparison. In the shapes, U is units.
"""

import numpy as np

DEAD, UNTUNED, UNKNOWN = "dead", "untuned", "not classified"
HEAD, BOTH = "head direction", "spatial + HD"
BORDER, PLACE, SPATIAL, OTHER = "border", "place", "spatially tuned, other", "other"
CLASSES = (PLACE, BORDER, HEAD, BOTH, SPATIAL, OTHER, UNTUNED, DEAD, UNKNOWN)
TUNED = (PLACE, BORDER, HEAD, BOTH, SPATIAL)
PRESETS = ("default", "published")


def classify(metrics, options):
    """Class names, shaped like the metrics {name: [..., U]}, by the preset and its thresholds.

    Units with NaN activity, and without any explained variance where the preset needs one, are
    not classified.
    """
    rules = {"default": default, "published": published}[options["preset"]]
    with np.errstate(invalid="ignore"):
        pairs = rules(metrics, options)
    names, conditions = zip(*pairs, strict=True)
    shape = np.broadcast_shapes(*(np.shape(item) for item in conditions))
    conditions = [np.broadcast_to(item, shape) for item in conditions]
    return np.select(conditions, names, UNKNOWN)


def default(metrics, options):
    """[(class, condition [..., U])] on held-out explained variance, in the order they are tried."""
    gain, turned = spatial(metrics), metrics["facing_gain"] > options["facing_gain"]
    here = gain > options["spatial_gain"]
    wall = (metrics["border_share"] > options["border_share"]) & (metrics["border_contrast"] > 0)
    field = (
        (metrics["fields"] == 1)
        & (metrics["ev_place"] > options["ev_place"])
        & (metrics["cover"] < options["cover"])
    )
    return [
        (DEAD, metrics["dead"]),
        (UNKNOWN, ~metrics["finite"] | np.isnan(gain)),
        (UNTUNED, ~here & ~turned),
        (HEAD, ~here),
        (BOTH, turned),
        (BORDER, wall),
        (PLACE, field),
        (SPATIAL, here),
    ]


def spatial(metrics):
    """What position adds to facing [..., U]; where facing is not recorded, what it explains."""
    return np.where(metrics["faced"], metrics["spatial_gain"], metrics["ev_place"])


def well_tuned(metrics, options):
    """Units [..., U] of whose held-out variance position and facing explain enough together."""
    explained = np.where(metrics["faced"], metrics["ev_both"], metrics["ev_place"])
    with np.errstate(invalid="ignore"):
        return explained > options["well_tuned"]


def published(metrics, options):
    """[(class, condition [U])] on bits per spike and the autocorrelation, as in earlier work."""
    explained, bits, turned = metrics["ev_unshrunk"], metrics["si"], metrics["hd"]
    low = (explained <= options["EV_unthresh"]) & (bits <= options["SI_thresh"])
    informed, headed = bits > options["SI_thresh"], turned > options["HD_thresh"]
    wall = metrics["border_score"] > options["border_thresh"]
    one = (metrics["peaks"] == 1) & (explained > options["EV_thresh"])
    return [
        (DEAD, metrics["dead"]),
        (UNKNOWN, ~metrics["finite"]),
        (UNTUNED, low & (turned <= options["HD_thresh"])),
        (HEAD, low & headed),
        (BORDER, wall & (metrics["asymmetry"] > options["border_symmetry"])),
        (PLACE, one & (metrics["asymmetry"] < options["place_symmetry"])),
        (BOTH, informed & headed),
        (SPATIAL, informed | (explained > options["EV_thresh"])),
        (OTHER, np.ones(np.shape(bits), bool)),
    ]
