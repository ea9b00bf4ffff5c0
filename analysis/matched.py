"""What agents of different families tell about position, from equally many features of like parts.

Layers of two families have different names and widths, so a decoder of one may win by having more
units. Here every part of an agent speaks through equally many principal components, and units are
compared by equally many drawn at random.
In the shapes, T is steps, D units, K components.
"""

import re
import zlib
from pathlib import Path

import numpy as np

from analysis import (
    decoders,
    fitting,
    geodesic,
    planning,
    position_scores,
    recording,
    ridge,
    rows,
    sources,
)
from dreamer import trajectory as contract
from jobs import cli, files

ERROR = "mean Euclidean error"
TUNED = "variance explained by position, mean of units"
# Of the layers that a name of these patterns fits, the last one that was recorded.
NAMED = {
    "image code": r"enc/tokens|tok/z",
    "policy": r"(pol|head/policy)/.*",
    "value": r"(val|head/value)/.*",
}
BELIEF = "belief"
EMPTY = "There are not two episodes with positions to hold apart, so nothing was decoded."


def main(
    spec: Path,
    trajectory: Path,
    test: Path,
    tuning: Path,
    scores: Path,
    untrained: Path | None = None,
    untrained_test: Path | None = None,
):
    """Decode position from equally many features of each part of an agent, trained and untrained.

    `untrained` and `untrained_test` repeat the recordings with a network of fresh parameters.
    """
    options = cli.options(spec)
    known = {"trajectory": recording.load(trajectory), "test": recording.load(test)}
    plans = {"trained": planning.make(*known.values(), options)}
    control = {"trajectory": untrained, "test": untrained_test}
    if untrained and len(plans["trained"].rows):
        plans["untrained"] = planning.twin(plans["trained"], control, known)
    _, units = contract.read_log(tuning, "tuning")
    files.write_json(scores, record(plans, units, options))


def record(plans, units, options):
    """{summary, notes, not_yet, parts, components}."""
    plan, count = plans["trained"], options["components"]
    found = parts(plan.train.header["layers"])
    not_yet = [] if "untrained" in plans else ["Untrained-network control: not yet computed."]
    if not plan.folds:
        return {"summary": [], "notes": [EMPTY], "not_yet": not_yet, "parts": found}
    truth = plan.test.position[plan.tested]
    ground = geodesic.grounds(truth, plan.test.episode[plan.tested], plan.test.walkable)
    level = position_scores.levels(plan, ground, options["seed"])[0][ERROR]
    summary = []
    for part, layers in found.items():
        told = {name: decode(own, layers, count, options) for name, own in plans.items()}
        if told["trained"] is None:
            continue
        error, kept = told["trained"]
        other = told.get("untrained")
        label = f"ridge, {kept} components"
        summary.append(
            rows.row(
                ERROR,
                error,
                "tiles",
                "low",
                *level,
                layer=part,
                representation=label,
                control=other[0] if other else None,
            )
        )
        summary += tuned(units, part, layers, options)  # fmt: skip
    return {"summary": summary, "notes": [*notes(found, summary, options), *rows.doubts(summary)],
            "not_yet": not_yet, "parts": found, "components": count}  # fmt: skip


def parts(layers):
    """{part: [layers]} of a recording's header: all of the belief side by side, others by name."""
    belief = [name for name, item in layers.items() if item.get("belief", name.startswith("dyn"))]
    found = {BELIEF: belief} if belief else {}
    for part, pattern in NAMED.items():
        mine = [name for name in layers if re.fullmatch(pattern, name)]
        found |= {part: mine[-1:]} if mine else {}
    return found


def decode(plan, layers, count, options):
    """(mean Euclidean error in tiles, components kept) on steps that were not trained on."""
    inputs, tests = sources.read(sources.Source(tuple(layers)), plan, options)
    if not sources.finite(inputs, tests):
        return None
    errors, kept = [], count
    for fitted, held in plan.folds:
        axes = components(inputs[fitted], count)
        kept = min(kept, len(axes.values))
        data = fitting.Data(
            ridge.rotate(axes, inputs[fitted]),
            plan.train.position[fitted],
            plan.train.episode[fitted],
            tuple(plan.train.header["area"]),
        )
        floor = planning.floor_tiles(plan.train, fitted).mean()
        decoder = fitting.fit(["ridge"], tuple(layers), data, options, floor)["ridge"]
        guess = decoders.apply(decoder, ridge.rotate(axes, tests[held])).point
        errors.append(np.linalg.norm(guess - plan.test.position[held], axis=1))  # fmt: skip
    return float(np.concatenate(errors).mean()), kept


def components(activity, count):
    """The `count` principal axes of standardised activity [T, D] that vary most (or all, if fewer),
    as a ridge.Basis without the activity itself."""
    found = ridge.basis(activity)
    most = np.argsort(found.values)[::-1][:count]
    return found._replace(vectors=found.vectors[:, most], values=found.values[most], rotated=None)


def tuned(units, part, layers, options):
    """Rows of the mean variance explained by position, of equally many units drawn from a part."""
    found = {}
    for network, table in units[units["layer"].isin(layers)].groupby("network"):
        table = table[np.isfinite(table["ev_place"])]
        rng = np.random.default_rng([options["seed"], zlib.crc32(part.encode())])
        count = min(options["components"], len(table))
        if count:
            chosen = table.iloc[rng.choice(len(table), count, replace=False)]
            found[network] = chosen["ev_place"].mean(), chosen["ev_place_null"].mean(), count
    if "trained" in found:
        value, null, count = found["trained"]
        control = found["untrained"][0] if "untrained" in found else None
        yield rows.row(TUNED, float(value), "share of variance", "high", float(null),
                       "whole episodes swapped", layer=part, representation=f"{count} units",
                       control=None if control is None else float(control))  # fmt: skip


def notes(found, summary, options):
    """What equal numbers of features can and cannot tell."""
    told = "; ".join(f"{part}: {', '.join(layers)}" for part, layers in found.items())
    count = options["components"]
    yield (
        f"Every part speaks through its {count} principal components that vary most, and through "
        f"{count} units drawn by a seed. Parts are {told}."
    )
    few = [
        row["layer"]
        for row in summary
        if row["score"] == ERROR and row["representation"] != f"ridge, {count} components"
    ]
    if few:  # fmt: skip
        yield f"Fewer components than that vary in {', '.join(few)}: not paired with other runs."
    yield (
        "Components that vary most are not those that tell the most about position: a code may "
        "hold it in directions that were left out. Families also differ in what they were trained "
        "on and for how long; a difference is of these agents, not of these methods."
    )


if __name__ == "__main__":
    cli.run(main)
