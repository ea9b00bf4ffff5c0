"""What a reader must know before believing a tuning curve of this recording."""

import numpy as np

from analysis.tuning_scores import NOT_YET


def about(tables, study, steps, occupancy, options):
    """{notes, not_yet, tiles, null, layers} for tables {layer: {column: [U]}}, occupancy [W, H]."""
    layers = {name: layer(table) for name, table in tables.items()}
    visited = occupancy[occupancy > 0]
    tiles = {
        "visited": len(visited),
        "enough": int((visited >= options["min_occupancy"]).sum()),
        "steps": int(visited.sum()),
        "median_steps": float(np.median(visited)),
    }
    null = {"draws": len(study.swapped), "steps": len(study.rows)}
    return {
        "notes": [*_tiles(tiles, options), *_behaviour(study, steps), *_null(null, tiles),
                  *_units(layers, options)],
        "not_yet": NOT_YET,
        "tiles": tiles,
        "null": null,
        "layers": layers,
    }  # fmt: skip


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


def _tiles(tiles, options):
    yield (
        f"Maps rest on {tiles['steps']:,} steps: {tiles['visited']} tiles were visited, "
        f"{tiles['median_steps']:g} steps each in the median; the {tiles['enough']} with at least "
        f"{options['min_occupancy']} steps are used."
    )


def _behaviour(study, steps):
    starts = np.stack([steps["x"], steps["y"]], 1)[steps["is_first"]]
    if len(starts) > 1 and (starts == starts[0]).all():
        yield (
            "Every episode starts on the same tile, so position and time since reset go together: "
            "units that follow the clock look spatial."
        )
    if study.behaviour.fold is None:
        yield "There is one episode only, so nothing can be held out: no explained variance."
    if study.behaviour.facing is None:
        yield "The recording does not say which way the agent faces: no facing, no spatial gain."
    else:
        yield (
            "Facing follows the last attempted move, so the facing gain and the gain of the "
            "previous action stand side by side: neither can be told from the other."
        )


def _null(null, tiles):
    if null["draws"]:
        least = 1 / (1 + null["draws"])
        yield (
            f"Chance comes from {null['draws']} whole-episode swaps of the {null['steps']:,} of "
            f"{tiles['steps']:,} steps that remain when episodes of like length are cut to the "
            f"shortest; the smallest possible p is {least:.3g}. Every value beside such a "
            "chance level comes from the same cut episodes; rate maps and the plain columns of the "
            "table of units use all steps."
        )
    else:
        yield "No chance level: swaps need at least ten episodes and n_null above 0."


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
