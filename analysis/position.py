"""How much does each layer know about where the agent is?

A decoder is fitted from each layer's activity to the agent's tile and tested on whole episodes
that it has not seen.
"""

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from analysis import decode, decoders, geodesic, parts, position_scores, position_tables, recording
from dreamer import trajectory as contract
from jobs import cli, files

NOT_YET = [
    f"{what}: not yet computed."
    for what in (
        "Untrained-network control",
        "Decoding from pixels (PCA)",
        "Decoding from a clock and from the last actions",
        "Method prnn",
        "Whole-episode swaps for the robust decoder",
    )
]


def main(
    spec: Path, trajectory: Path, test: Path, scores: Path, steps: Path, decoders: Path, work: Path
):
    """Decode position from every layer; write scores, a row per decoded step, and the decoders."""
    options = cli.options(spec)
    inputs = {"trajectory": files.sha256(trajectory), "test": files.sha256(test)}
    key = sha256(files.canonical([files.read_json(spec), inputs]).encode()).hexdigest()[:16]
    outputs = {"scores": scores, "steps": steps, "decoders": decoders}
    decode_all(options, trajectory, test, inputs, outputs, work / key)
    shutil.rmtree(work / key, ignore_errors=True)
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()


def decode_all(options, path, test, inputs, outputs, work):
    """Decode each representation, or take it from `work` where it is finished, and write all."""
    plan = decode.plan(recording.load(path), recording.load(test), options)
    layers = plan.train.header["layers"]
    chosen = (options["layers"], options["combined"])
    wanted = recording.representations(layers, *chosen) if len(plan.rows) else {}
    found = {
        name: parts.finished(work, name, partial(decode.evaluate, plan, own, options))
        for name, own in wanted.items()
    }
    known = {name: item for name, item in found.items() if item}
    rows, levels, table = tables(plan, known, options)
    facts = position_tables.facts(plan, options)
    record = {
        "summary": rows,
        "notes": [*notes(plan, found, options), *unseen(facts["unseen_share"])],
        "not_yet": NOT_YET,
        "chance": levels,
        "details": {name: details for name, (_, _, details) in known.items()},
        **facts,
    }
    about = {"options": options, "inputs": inputs, "area": plan.train.header["area"]}
    decoders.save(outputs["decoders"], {name: item[1] for name, item in known.items()}, about)
    contract.write_log(outputs["steps"], "position_steps", about, position_tables.join(table))
    files.write_json(outputs["scores"], record)


def tables(plan, known, options):
    """Summary rows, chance levels and step tables of the decoded representations."""
    if not plan.folds:
        return [], [], []
    truth = plan.test.position[plan.tested]
    ground = geodesic.grounds(truth, plan.test.episode[plan.tested], plan.test.walkable)
    shown, levels = position_scores.levels(plan, ground, options["seed"])
    rows, table = [], []
    for name, (columns, _, details) in known.items():
        for method, values in columns.items():
            rows += position_scores.summary(name, method, values, details, plan, ground, shown)
            table.append(position_tables.steps(plan, name, method, values, ground))
    return rows, levels, table


def notes(plan, found, options):
    """Sentences a reader must know beside the numbers."""
    bad = [name for name, item in found.items() if not item]
    sentences = [f"{name} holds values that are not finite; it was not decoded." for name in bad]
    if not len(plan.train.position):
        return ["The recording has no positions, so there is nothing to decode."]
    if not len(plan.rows):
        return [f"No episode visits a box of {options['min_bbox']} tiles²; nothing was decoded."]
    missing = [name for name in options["layers"] if name not in found]
    sentences += [f"{name} is not in the recording; it was not decoded." for name in missing]
    if not plan.folds:
        sentences.append("There are not two episodes to hold apart, so nothing could be tested.")
    elif not plan.test.walkable:
        sentences.append("No terrain was recorded, so path lengths are left out.")
    starts = plan.train.position[plan.train.step == 0]
    if len(starts) > 1 and len(np.unique(starts, axis=0)) == 1:
        sentences.append(
            "Every episode starts on the same tile, so time since reset alone tells much of where "
            "the agent is; compare with the whole-episode swaps, which keep that."
        )
    details = [item[2] for item in found.values() if item]
    draws = max((len(item["swaps"]["null"]) for item in details if item.get("swaps")), default=0)
    sentences.append(
        f"Whole-episode swaps: {draws}, with ridge re-trained on each; the smallest p that so many "
        f"can give is {1 / (1 + draws):.2g}."
        if draws
        else "Whole-episode swaps: none; they need n_null above 0 and at least ten episodes."
    )
    fits = [fit for item in details for fold in item["folds"] for fit in fold.values()]
    if not all(fit["solved"] for fit in fits):
        sentences.append("Some classifiers stopped before their tolerance (`details`, `folds`).")
    return sentences


def unseen(share):
    """A sentence where test steps lie on tiles that training never saw."""
    if not share:
        return []
    return [
        f"{share:.0%} of the tested steps lie on tiles that no training episode visited: a "
        "classifier cannot name those, and each costs it the floor of the cross-entropy."
    ]


if __name__ == "__main__":
    cli.run(main)
