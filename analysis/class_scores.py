"""The share of each kind of cell in a layer, beside its share under swaps and without training.

In the shapes, U is units.
"""

import numpy as np

from analysis import cell_rules
from analysis.rows import doubts, row
from analysis.swaps import p_value

NO_CONTROL = "untrained-network control: no recording of an untrained network was given"
SHARE = "share of units"
WELL = ", of well-tuned units"


def summary(found, options):
    """Rows of the report's table from {(network, layer): Units}."""
    rows = []
    for (network, layer), trained in found.items():
        if network == "trained":
            untrained = found.get(("untrained", layer))
            rows += _layer(layer, trained, untrained, options)
    return rows


def notes(found, measured, rows, options):
    """What a reader must know: the rules, the steps they rest on, what does not beat chance."""
    known = [item for item in found.values() if item.draws]
    said = [_rules(options)]
    if known:
        said.append(
            f"Chance is the same share under {known[0].null_name}, {known[0].draws} draws, and "
            "every share beside it comes from the episodes as these cut them; the table of classes "
            "uses all steps. Of the well-tuned units, chance is the number of such units under "
            "swaps divided by the number of units that are well tuned."
        )
    if not any(item.whole["faced"] for item in found.values()):
        said.append(
            "The recording does not say which way the agent faces, so units count as spatial by "
            "the variance that position explains alone, and no cell can be one of head direction."
        )
    if ("untrained", next(iter(found))[1]) not in found:
        said.append(
            "Untrained networks have place-, border- and head-direction-like units too: without "
            "that control these shares do not show that training made them."
        )
    return [*said, *_inherited(measured), *doubts(rows)]


def _layer(layer, trained, untrained, options):
    swapped = trained.null if options["preset"] == "default" else None
    name = f"{trained.null_name}, {trained.draws} draws" if swapped else None
    kinds = possible(trained.whole)
    observed = shares(trained.cut, kinds, options)
    null = shares(swapped, kinds, options) if swapped else {}
    control = shares(untrained.cut, kinds, options) if untrained else {}
    for score, (which, among) in observed.items():
        if among.any():
            value, drawn = _share(which, among), {}
            if null:
                draws = null[score][0].sum(axis=-1) / among.sum()
                found = value > 0 or draws.any()  # else nothing was found nor to be expected
                p = float(p_value(draws, value, "high")) if found else None
                drawn = {"chance": float(draws.mean()), "chance_name": name, "p": p}
            beside = _share(*control[score]) if score in control else None
            yield row(score, value, SHARE, "high", layer=layer, control=beside, **drawn)


def possible(metrics):
    """The classes that the recording allows: without facing or walls some cannot be."""
    lacking = set() if np.isfinite(metrics["hd"]).any() else {cell_rules.HEAD, cell_rules.BOTH}
    lacking |= set() if np.isfinite(metrics["border_score"]).any() else {cell_rules.BORDER}
    return [name for name in cell_rules.TUNED if name not in lacking]


def shares(metrics, names, options):
    """{score: (units that count [..., U], units out of which they are counted)}.

    `names` are the classes to count.
    """
    finite, well = metrics["finite"], cell_rules.well_tuned(metrics, options)
    kinds, found = cell_rules.classify(metrics, options), {}
    if options["preset"] == "default":
        limit = options["spatial_gain"]
        words = "spatial gain" if metrics["faced"] else "variance explained by position"
        found[f"units with {words} above {limit:g}"] = cell_rules.spatial(metrics) > limit
        for words, name in (("facing", "facing_gain"), ("previous-action", "action_gain")):
            if np.isfinite(metrics[name]).any():
                limit = options["facing_gain"]
                found[f"units with {words} gain above {limit:g}"] = metrics[name] > limit
    found["well-tuned units"] = well
    found |= {label(name, options): kinds == name for name in names}
    found = {score: (which & finite, finite) for score, which in found.items()}
    for name in names:
        found[f"{label(name, options)}{WELL}"] = ((kinds == name) & well, well)
    return found


def label(name, options):
    """The score of a class by name; the published rules are marked wherever they show."""
    return name if options["preset"] == "default" else f"{name} (published rules)"


def _share(which, among):
    """Share of the units `among` that count; None where there are none of them."""
    return float(which.sum() / among.sum()) if among.any() else None


def _rules(options):
    if options["preset"] == "published":
        return (
            "Classes by the published rules, for comparison only: on planted units they find no "
            "head-direction cell and call ramps and units with several fields place cells."
        )
    return (
        "Classes by held-out explained variance: of a hundred planted units of each kind at least "
        "95 are recovered (docs/cells.md). First match: dead; untuned; head direction; spatial + "
        "HD; border; place; spatially tuned, other."
    )


def _inherited(measured):
    """What the table of units says of its behaviour: a fixed start, few swaps."""
    return [
        note for note in measured.get("notes", []) if "same tile" in note or "no positions" in note
    ]
