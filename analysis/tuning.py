"""What are single units tuned to? Rate maps, information and held-out explained variance.

In the shapes, T is steps, U units.
"""

from pathlib import Path

import numpy as np

from analysis import rate_maps, splits, tuning_notes, tuning_scores, unit_table
from analysis.unit_metrics import Behaviour, Study
from dreamer import trajectory as recordings
from jobs import cli, files
from jobs.errors import Refused

STEPS = ("episode", "step", "x", "y", "is_first")
OPTIONAL = ("facing", "action")


def read_steps(recording):
    """{column: [T]} of what the agent did; `facing` and `action` where the recording has them."""
    more = [name for name in OPTIONAL if recordings.has(recording, name)]
    return recordings.read(recording, [*STEPS, *more])


def behaviour(steps, area, folds):
    """Behaviour from the columns of `read_steps`, with held-out parts of whole episodes."""
    facing = previous = None
    if "facing" in steps:
        facing = (steps["facing"][:, None] == np.array(recordings.FACINGS, object)).argmax(axis=1)
    if "action" in steps:
        none = steps["action"].max() + 1
        previous = np.where(steps["is_first"], none, np.roll(steps["action"], 1)).astype(int)
    parts = splits.folds(steps["episode"], folds)
    fold = np.zeros(len(steps["x"]), int) if parts else None
    for index, (_, test) in enumerate(parts):
        fold[test] = index
    place = rate_maps.tiles(steps["x"], steps["y"], area)
    return Behaviour(place, facing, previous, fold)


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


def measure(recording, options):
    """(tables, nulls, maps) by layer, and the Study and steps that they come from."""
    header, steps = recordings.header(recording), read_steps(recording)
    names = wanted(header, options["layers"])
    study = Study(
        behaviour(steps, header["area"], options["folds"]),
        steps["episode"],
        header["area"],
        options,
    )
    tables, nulls, maps = {}, {}, {}
    for name in names:
        columns, units = chosen(header["layers"][name], options["max_units"], options["seed"])
        activity = recordings.read(recording, [name])[name][:, columns]
        table, nulls[name], maps[name] = unit_table.layer(
            activity, study, steps, header["area"], options
        )
        tables[name] = {"layer": np.full(len(units), name), "unit": units, **table}
    return tables, nulls, maps, study, steps


def main(spec: Path, trajectory: Path, tuning: Path, maps: Path, scores: Path):
    """Measure every unit of every layer; write the table of units, the rate maps, the scores."""
    options = cli.options(spec)
    tables, nulls, found, study, steps = measure(trajectory, options)
    area = recordings.header(trajectory)["area"]
    occupancy = rate_maps.occupancy(study.behaviour.place, area[0] * area[1]).reshape(area)
    columns = {
        name: np.concatenate([table[name] for table in tables.values()])
        for name in next(iter(tables.values()))
    }
    summary = tuning_scores.summary(tables, nulls)
    about = tuning_notes.about(tables, study, steps, occupancy, options)
    header = {"options": options, "area": area, "summary": summary}
    recordings.write_log(tuning, "tuning", header, columns)
    with files.atomic(maps) as temporary:
        np.savez_compressed(temporary, occupancy=occupancy, **found)
    files.write_json(scores, {"summary": summary, **about})


if __name__ == "__main__":
    cli.run(main)
