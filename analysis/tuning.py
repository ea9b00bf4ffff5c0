"""What are single units tuned to? Rate maps, information and held-out explained variance.

In the shapes, T is steps, U units.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis import pairs, rate_maps, tuning_notes, tuning_scores, tuning_steps, unit_table
from analysis.study import Study
from analysis.swaps import KINDS
from dreamer import trajectory as recordings
from jobs import cli, files
from jobs.errors import Refused

STORED = (
    "ev_place",
    "ev_both",
    "spatial_gain",
    "facing_gain",
    "action_gain",
    "border_share",
    "border_contrast",
    "fields",
    "cover",
)  # fmt: skip  of every swap, for the chance level of the classes


def wanted(header, names):
    """The layers to measure in the order of the recording; all where `names` is empty."""
    unknown = [name for name in names if name not in header["layers"]]
    if unknown:
        raise Refused(
            f"the option tuning.layers names {unknown[0]}, which was not recorded; there are "
            f"{', '.join(header['layers'])}"
        )
    return [name for name in header["layers"] if not names or name in names]


def chosen(layer, max_units, seed):
    """(columns of the recording, unit indices in the full layer) that are measured, [U] each."""
    columns = np.arange(layer["width"])
    if 0 < max_units < len(columns):
        columns = np.sort(np.random.default_rng(seed).choice(columns, max_units, replace=False))
    units = layer.get("units")
    return columns, columns if units is None else np.array(units)[columns]


def ground(header):
    """The world [W, H] in tiles; one that tells no positions may be of none, and counts as one."""
    return [max(1, side) for side in header["area"]]


def measure(networks, options):
    """(tables, nulls, maps) by (network, layer), and the Study and Steps that they come from.

    `networks` {"trained": [recording, or with a second one for explained variance], "untrained":
    the same steps}.
    """
    recording, header = networks["trained"], recordings.header(networks["trained"][0])
    names, area = wanted(header, options["layers"]), ground(header)
    steps = tuning_steps.read(*recording, min_bbox=options["min_bbox"])
    behaviour = tuning_steps.behaviour(steps, area, options["folds"], options["hd"])
    episode = steps.columns["episode"]
    study = Study(behaviour, episode, area, options, steps.mapped, steps.held)
    tables, nulls, maps = {}, {}, {}
    for network, paths in networks.items():
        for name in names:
            columns, units = chosen(header["layers"][name], options["max_units"], options["seed"])
            activity = steps.activity(paths, name, columns)
            key = network, name
            made = unit_table.layer(activity, study, area)
            table, nulls[key], maps[key] = made if steps.placed else unit_table.unplaced(*made)
            about = {"network": np.full(len(units), network), "layer": np.full(len(units), name)}
            tables[key] = {**about, "unit": units, **table}
    return tables, nulls, maps, study, steps


def compared(trained, untrained):
    """{network: recordings} after checking that untrained ones fit; the trained network first."""
    if untrained and len(untrained) < len(trained):
        raise Refused(
            "with tuning.test the untrained network needs a recording of the test episodes too; "
            "give --untrained-test, leave out --untrained, or set tuning.test to false"
        )
    for ours, theirs in zip(trained, untrained, strict=False):
        layers = [recordings.layers(path) for path in (ours, theirs)]
        if layers[0] != layers[1]:
            raise Refused(f"{theirs} does not hold the layers of {ours}; record the same ones")
        pairs.refuse_other_units(ours, theirs)
        tuning_steps.same_rows(ours, theirs)
    return {"trained": trained} | ({"untrained": untrained} if untrained else {})


def main(
    spec: Path,
    trajectory: Path,
    tuning: Path,
    null: Path,
    maps: Path,
    scores: Path,
    test: Path | None = None,
    untrained: Path | None = None,
    untrained_test: Path | None = None,
):
    """Measure every unit of every layer; write the table of units, their null, maps and scores.

    `untrained` and `untrained_test` repeat the recordings with a network of fresh parameters.
    """
    options = cli.options(spec)
    if options["test"] and not test:
        raise Refused("tuning.test asks for a second recording; give --test or set it to false")
    if options["test"]:
        pairs.refuse_untestable(trajectory, test)
    both = [(trajectory, test), (untrained, untrained_test)]
    given = [[path for path in pair[: 1 + options["test"]] if path] for pair in both]
    tables, nulls, found, study, steps = measure(compared(*given), options)
    area = ground(recordings.header(trajectory))
    occupancy = rate_maps.occupancy(study.behaviour.place[: study.mapped], area[0] * area[1])
    occupancy = occupancy.reshape(area) * steps.placed
    summary = tuning_scores.summary(tables, nulls, KINDS[options["null_method"]])
    about = tuning_notes.about(tables, study, steps, occupancy, options, summary)
    header = {"options": options, "area": area, "summary": summary, "notes": about["notes"]}
    header["placed"] = steps.placed
    recordings.write_log(tuning, "tuning", header, joined(tables))
    recordings.write_log(null, "tuning_null", {"options": options}, swapped(tables, nulls))
    arrays = {label(*key): values for key, values in found.items()}
    with files.atomic(maps) as temporary:
        np.savez_compressed(temporary, occupancy=occupancy, **arrays)
    files.write_json(scores, {"summary": summary, **about})


def label(network, layer):
    """The name of a layer's maps in the file of rate maps."""
    return layer if network == "trained" else f"{network}:{layer}"


def joined(tables):
    """{column: values} of all tables, one below the other."""
    first = next(iter(tables.values()))
    return {name: np.concatenate([table[name] for table in tables.values()]) for name in first}


def swapped(tables, nulls):
    """{column: values} with the draws of each unit as a list; rows as in `joined`.

    Only names and indices where there were no swaps.
    """
    names = ("network", "layer", "unit")
    columns = joined({key: {name: table[name] for name in names} for key, table in tables.items()})
    for name in STORED if all(nulls.values()) else ():
        draws = np.concatenate([null[name] for null in nulls.values()], axis=1)
        values = pa.array(np.ascontiguousarray(draws.T).reshape(-1))
        columns[name] = pa.FixedSizeListArray.from_arrays(values, len(draws))
    return columns


if __name__ == "__main__":
    cli.run(main)
