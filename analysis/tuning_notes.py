"""What a reader must know before believing a tuning curve of this recording."""

import numpy as np

from analysis.rows import doubts
from analysis.swaps import KINDS
from analysis.tuning_scores import NO_CONTROL

NO_POSITIONS = (
    "The recording has no positions: no rate maps, no spatial information, no variance explained "
    "by position and no classes of cells, only what facing and actions tell."
)


def about(tables, study, steps, occupancy, options, rows=()):
    """{notes, not_yet, tiles, null, layers} for tables by (network, layer), occupancy [W, H]."""
    layers = {name: layer(table) for (network, name), table in tables.items()
              if network == "trained"}  # fmt: skip
    tiles = ground(occupancy[occupancy > 0], options) if steps.placed else None
    null = {"draws": len(study.swapped), "steps": len(study.rows), "kind": options["null_method"]}
    return {
        "notes": [*(_tiles(tiles, options) if steps.placed else [NO_POSITIONS]),
                  *behaviour(study.behaviour, steps.columns, steps.placed),
                  *_tested(steps), *_null(null, len(study.episode), options),
                  *_units(layers, options), *doubts(rows)],
        "not_yet": [] if len(tables) > len(layers) else [NO_CONTROL],
        "tiles": tiles,
        "null": null,
        "layers": layers,
    }  # fmt: skip


def ground(visited, options):
    """What the maps rest on, from the steps of each visited tile."""
    return {
        "visited": len(visited),
        "enough": int((visited >= options["min_occupancy"]).sum()),
        "steps": int(visited.sum()),
        "median_steps": float(np.median(visited)),
    }


def layer(table):
    """Counts of a layer's units and the share of their samples below zero."""
    negative = table["negative"][table["finite"]]
    return {
        "units": len(table["unit"]),
        "dead": int(table["dead"].sum()),
        "not_finite": int((~table["finite"]).sum()),
        "rarely_active": int(table["rarely_active"].sum()),
        "negative": float(negative.mean()) if len(negative) else None,
    }


def behaviour(behaviour, columns, placed=True):
    """What the walks and the recording's columns allow to be said."""
    starts = np.stack([columns["x"], columns["y"]], 1)[columns["is_first"]]
    if placed and len(starts) > 1 and (starts == starts[0]).all():
        yield (
            "Every episode starts on the same tile, so position and time since reset go together: "
            "a confound, by which about a third of units that only follow the clock look spatial."
        )
    if behaviour.fold is None:
        yield "There is one episode only, so nothing can be held out: no explained variance."
    if behaviour.facing is None:
        yield (
            "The recording does not say which way the agent faces, or the option hd is off: no "
            "facing, no spatial gain."
        )
    else:
        yield (
            "Facing follows the last attempted move, so the facing gain and the gain of the "
            "previous action stand side by side: neither can be told from the other."
        )
    if np.ndim(columns.get("action")) > 1:
        yield "Each action is a vector of numbers, so tuning to actions is not computed."
    if placed and behaviour.walls is None:
        yield "The recording has no terrain, so nothing is known of walls: no border share."


def _tiles(tiles, options):
    yield (
        f"Maps rest on {tiles['steps']:,} steps: {tiles['visited']} tiles were visited, "
        f"{tiles['median_steps']:g} steps each in the median; the {tiles['enough']} with at least "
        f"{options['min_occupancy']} steps are used."
    )


def _tested(steps):
    if steps.held:
        yield (
            "Explained variance is tested on another recording "
            f"({len(steps.columns['x']) - steps.mapped:,} steps), predicted from this one."
        )


def _null(null, steps, options):
    if not null["draws"]:
        yield "No chance level: swaps need at least ten episodes and n_null above 0."
        return
    least = 1 / (1 + null["draws"])
    if null["kind"] == "shifts":
        yield (
            f"Chance comes from {null['draws']} {KINDS['shifts']}: there, units that change slowly "
            f"or follow the clock look tuned; the smallest possible p is {least:.3g}."
        )
        return
    yield (
        f"Chance comes from {null['draws']} whole-episode swaps of the {null['steps']:,} of "
        f"{steps:,} steps that remain when episodes of like length are cut to the "
        f"shortest; the smallest possible p is {least:.3g}. Every value beside such a "
        "chance level comes from the same cut episodes; rate maps and the plain columns of the "
        "table of units use all steps."
    )


def _units(layers, options):
    total = sum(item["units"] for item in layers.values())
    for key, words in (
        ("dead", "never vary"),
        ("not_finite", "have NaN or infinite activity and are left out"),
        (
            "rarely_active",
            f"are active in fewer than {options['min_active']} steps (information 0)",
        ),
    ):
        count = sum(item[key] for item in layers.values())
        if count:
            yield f"{count} of {total} units {words}."
    negative = [item["negative"] for item in layers.values() if item["negative"] is not None]
    if negative and max(negative) > 0:
        yield (
            f"{min(negative):.0%} to {max(negative):.0%} of a layer's samples are negative; "
            f"information is computed after the transform '{options['transform']}', and bits per "
            "spike shrink as the baseline grows: compare layers by explained variance, not by bits."
        )
