"""Where does the agent believe it is while it dreams?

The decoders fitted on recorded states read imagined ones; nothing is trained here. In the shapes,
N is starts, H imagined steps.
"""

from pathlib import Path

import numpy as np

from analysis import (
    decoders,
    dream_examples,
    dream_guesses,
    dream_reading,
    dream_scores,
    dream_tables,
    recording,
)
from dreamer import trajectory as contract
from jobs import cli, files

NUMBERS = (
    "Each action is a vector of numbers, not one of several, so whether dreams move the way of the "
    "action is not computed."
)
NOT_YET = ["Untrained-network control: not yet computed."]
POLICY_NOTE = (
    "A policy dream acts otherwise than the agent did, so its error grows even in a perfect world "
    "model; forced dreams replay the real actions and test the model."
)


def main(
    spec: Path,
    dreams: Path,
    trajectory: Path,
    decoders: Path,
    scores: Path,
    steps: Path,
    maps: Path,
):
    """Decode dreams step by step and compare them with the real future of each start."""
    options = cli.options(spec)
    decode(options, dreams, trajectory, decoders, scores, steps, maps)


def decode(options, path, trajectory, fitted, scores, steps, maps):
    """Apply each fitted decoder of the belief to dreams and to the real states beside them.

    Where there is nothing to apply or to compare with, the scores say so in a sentence.
    """
    known, (header, every) = recording.load(trajectory), decoders.load(fitted)
    usable, bad = dream_guesses.usable(every, path, known, options["methods"])
    examples = dream_examples.choose(path, options["examples"], options["seed"])
    words = dream_guesses.lacking(usable, path, known, options["methods"])
    if words:
        record, every_step, kept = _nothing(words), [], []
    else:
        record, every_step, kept = _read(usable, bad, path, known, options, examples)
    about = {"options": options, "trained_on": header["inputs"]}
    every_step = dream_tables.joined(dream_tables.STEPS, every_step)
    contract.write_log(steps, "dreams_steps", about, every_step)
    contract.write_log(maps, "dreams_maps", about, dream_tables.joined(dream_tables.MAPS, kept))
    files.write_json(scores, record | {"examples": examples})


def _read(usable, bad, path, known, options, examples):
    """(scores, tables of every step, tables of the examples' maps) of the usable decoders."""
    found = dream_reading.load(path, known)
    walkable, chosen = _walkable(known, found), _places(examples, found, known)
    rows, details, steps, maps = dream_scores.standing(found.position), {}, [], []
    for (name, method), decoder in usable.items():
        told, floor = dream_guesses.tell(decoder, path, found, known)
        facts = _facts(told, found, known, walkable, options["jump"])
        rows += dream_scores.rows(name, method, facts, floor, walkable, options["jump"])
        details.setdefault(name, {})[method] = {"floor": floor, "variants": facts}
        for variant, item in told.items():
            which = (name, method, variant, item, found, known)
            steps.append(dream_tables.steps(*which))
            maps.append(dream_tables.maps(*which, chosen))
    record = {
        "summary": rows,
        "notes": [
            f"{len(found.real)} starts. {POLICY_NOTE}",
            *_notes(details, walkable),
            *([NUMBERS] if "action_width" in known.header else []),
            *([f"Not finite, so not decoded: {', '.join(bad)}."] if bad else []),
        ],
        "not_yet": NOT_YET,
        "displacement": dream_scores.displacement(found.position),
        "details": details,
    }
    return record, steps, [part for part in maps if part]


def _nothing(words):
    """The scores where no dream can be decoded, with the reason."""
    return {"summary": [], "notes": [words], "not_yet": [], "displacement": [], "details": {}}


def _places(examples, found, known):
    """Which of the starts [N] are the examples."""
    first = found.real[:, 0]
    keys = list(zip(known.episode[first].tolist(), known.step[first].tolist(), strict=True))
    return [keys.index(key) for key in examples]


def _facts(told, found, known, walkable, jump):
    names, episode = known.header["actions"], known.episode[found.real[:, 0]]
    return {
        variant: dream_scores.by_horizon(item.point, item.entropy, found.position, episode)
        | dream_scores.spatial(item.point, item.action, names, walkable, jump)
        for variant, item in told.items()
    }


def _walkable(known, found):
    """Walkable tiles [N, W, H] of the world of each start, or None."""
    if not known.walkable:
        return None
    return np.stack([known.walkable[name] for name in known.episode[found.real[:, 0]]])


def _notes(details, walkable):
    dreamt = [
        facts
        for methods in details.values()
        for found in methods.values()
        for variant, facts in found["variants"].items()
        if variant != dream_guesses.REAL
    ]
    better, count = dream_scores.beats_frozen(dreamt)
    last = len(dreamt[0]["mean"]) - 1
    notes = [
        f"At h = {last} the dream is nearer the real future than its frozen start (the guess at "
        f"h = 0, kept) in {better} of {count} combinations of layer, method and kind of dream."
    ]
    if walkable is None:
        notes.append("No terrain was recorded: walkable tiles are unknown.")
    return notes


if __name__ == "__main__":
    cli.run(main)
