"""What do decoders fitted on one recording say about another? Nothing is trained here.

`python -m analysis.apply_decoder --decoders F --trajectory T --scores S --steps P` reads decoders
that analysis/position.py saved, and writes what it would write for a test recording.
"""

from pathlib import Path

import numpy as np

from analysis import (
    chance,
    decode,
    decoders,
    geodesic,
    planning,
    position_notes,
    position_scores,
    position_tables,
    recording,
    sources,
)
from dreamer import trajectory as contract
from jobs import cli, files
from jobs.errors import Refused

SEED = 0  # of the chance levels that are drawn


def main(decoders: Path, trajectory: Path, scores: Path, steps: Path):
    """Apply every saved decoder whose layers the recording holds; write scores and a step table."""
    apply(decoders, trajectory, scores, steps)


def apply(fitted, trajectory, scores, steps):
    """Scores beside chance, as in position decoding; refuses the decoders' own training data."""
    header, every = decoders.load(fitted)
    read, digest = recording.load(trajectory), files.sha256(trajectory)
    usable = {
        name: found
        for name, found in every.items()
        if all(set(item.layers) <= set(read.header["layers"]) for item in found.values())
    }
    refuse(header, fitted, read, digest, usable)
    plan = planning.foreign(chance.visited(header["occupancy"]), read)
    truth = read.position
    ground = geodesic.grounds(truth, read.episode, read.walkable)
    shown, levels = position_scores.levels(plan, ground, SEED)
    rows, table, bad = [], [], []
    for name, found in usable.items():
        activity = sources.activity(read, next(iter(found.values())).layers)
        if not sources.finite(activity):
            bad.append(name)
            continue
        for method, decoder in found.items():
            values = decode.columns(decoders.apply(decoder, activity), truth)
            made = (name, method, values)
            rows += position_scores.summary(*made, {"nulls": {}}, plan, ground, shown)
            table.append(position_tables.steps(plan, "trained", *made, ground))
    left = sorted(set(every) - set(usable))
    about = {"trained_on": header["inputs"], "inputs": {"trajectory": digest}}
    record = {
        "summary": rows,
        "notes": list(notes(header, read, left, bad)),
        "not_yet": [],
        "chance": levels,
        **about,
        "test_steps": len(truth),
        "test_episodes": len(np.unique(read.episode)),
    }
    contract.write_log(steps, "position_steps", about, position_tables.join(table))
    files.write_json(scores, record)


def notes(header, read, left, bad):
    """What a reader must know: what was left out, and whether this is the decoders' own agent."""
    yield from position_notes.told_position(read.header)
    if header.get("agent") != read.header.get("agent"):
        yield (
            "The decoders were fitted on another agent, or the same at another time of its "
            "training: units of the same number need not mean the same."
        )
    if left:
        yield f"Not in this recording: {', '.join(left)}."
    if bad:
        yield f"Not finite, so not decoded: {', '.join(bad)}."
    if not read.walkable:
        yield position_notes.NO_TERRAIN


def refuse(header, fitted, read, digest, usable):
    """Refuse what would give no number, or one that measures memory."""
    if digest == header["inputs"]["trajectory"]:
        raise Refused(
            f"{read.path} is what the decoders of {fitted} were trained on, so their errors on it "
            "would measure memory; give another recording"
        )
    if "occupancy" not in header:
        raise Refused(f"{fitted} does not say where the agent was in training; decode again")
    if not len(read.position):
        raise Refused(f"{read.path} has no positions to compare with")
    if list(header["area"]) != list(read.header["area"]):
        raise Refused(
            f"the decoders of {fitted} name tiles of a world of {header['area']}, but {read.path} "
            f"has one of {read.header['area']}; tiles do not correspond"
        )
    if not usable:
        raise Refused(f"{read.path} holds none of the layers that {fitted} decodes")


if __name__ == "__main__":
    cli.run(main)
