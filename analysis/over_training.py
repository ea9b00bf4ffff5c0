"""When does position appear in the layers? The same recordings, seen by checkpoints of a training.

In a recording of several networks a column is called layer@step; the step of an untrained network
is 0.
"""

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from analysis import (
    decode,
    geodesic,
    parts,
    planning,
    position_scores,
    recording,
    rows,
    sources,
)
from analysis import errors as distances
from jobs import cli, files

ERROR = "mean Euclidean error"
METHOD = "ridge"
EMPTY = "There are not two episodes with positions to hold apart, so nothing was decoded."
BESIDE = (
    "Every checkpoint, and a network of fresh parameters as step 0, saw the same recorded images "
    "and remembered the same recorded actions; its decoder is fitted and tested on the same steps."
)


def main(spec: Path, trajectory: Path, test: Path, scores: Path, work: Path):
    """Decode position from each layer of each checkpoint; write the error over training steps."""
    options = cli.options(spec)
    inputs = [files.sha256(path) for path in (trajectory, test)]
    key = sha256(files.canonical([files.read_json(spec), inputs]).encode()).hexdigest()[:16]
    plan = planning.make(recording.load(trajectory), recording.load(test), options)
    files.write_json(scores, record(plan, options, work / key))
    shutil.rmtree(work / key, ignore_errors=True)
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()


def record(plan, options, work):
    """{summary, notes, not_yet, curves, chance}; what is finished is taken from `work`."""
    if not plan.folds:
        return {"summary": [], "notes": [EMPTY], "not_yet": [], "curves": [], "chance": None}
    untrained = {item["step"] for item in plan.train.header["networks"] if item["untrained"]}
    truth = plan.test.position[plan.tested]
    ground = geodesic.grounds(truth, plan.test.episode[plan.tested], plan.test.walkable)
    level = position_scores.levels(plan, ground, options["seed"])[0][ERROR]
    found = errors(plan, options, work)
    curves = [item | {"untrained": item["step"] in untrained} for item in found]
    summary = table(curves, level)
    known = {f"{item['layer']}@{item['step']}" for item in curves}
    bad = [column for column in plan.train.header["layers"] if column not in known]
    lacks = [f"Not finite, so not decoded: {', '.join(bad)}."] if bad else []
    return {
        "summary": summary,
        "notes": [BESIDE, *lacks, *rows.doubts(summary)],
        "not_yet": [],
        "curves": curves,
        "chance": {"value": level[0], "name": level[1]},
    }


def errors(plan, options, work):
    """[{layer, step, value}]: mean Euclidean error on steps that the decoder has not seen, tiles.

    Layers whose activity is not finite are left out.
    """
    for column in plan.train.header["layers"]:
        layer, step = column.rsplit("@", 1)
        compute = partial(decode.evaluate, plan, sources.Source((column,)), options)
        found = parts.finished(work, column, compute)
        if found:
            values, truth = found[0][METHOD], plan.test.position[plan.tested]
            guess = np.stack([values["x"], values["y"]], 1)
            error = distances.euclidean(guess, truth).mean()
            yield {"layer": layer, "step": int(step), "value": float(error)}


def table(curves, level):
    """Rows of the report's table: each checkpoint beside the untrained network of its layer."""
    control = {item["layer"]: item["value"] for item in curves if item["untrained"]}
    return [
        rows.row(
            ERROR,
            item["value"],
            "tiles",
            "low",
            *level,
            layer=item["layer"],
            representation=f"after {item['step']:,} steps",
            control=control.get(item["layer"]),
        )
        for item in curves
        if not item["untrained"]
    ]


if __name__ == "__main__":
    cli.run(main)
