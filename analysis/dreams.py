"""Where does the agent believe it is while it dreams?

The decoders fitted on recorded states read imagined ones; nothing is trained here. In the shapes,
N is starts, H imagined steps.
"""

from pathlib import Path

import numpy as np

from analysis import decoders, dream_reading, dream_scores, errors, recording, sources
from dreamer import trajectory as contract
from jobs import cli, files

NOT_YET = ["Untrained-network control: not yet computed."]
REAL = "real states"
COLUMNS = (
    *("representation", "method", "variant", "start_episode", "start_step", "h", "action"),
    *("true_x", "true_y", "x", "y", "p", "entropy", "error"),
)
POLICY_NOTE = (
    "A policy dream acts otherwise than the agent did, so its error grows even in a perfect world "
    "model; forced dreams replay the real actions and test the model."
)


def main(spec: Path, dreams: Path, trajectory: Path, decoders: Path, scores: Path, steps: Path):
    """Decode dreams step by step and compare them with the real future of each start."""
    options = cli.options(spec)
    decode(options, dreams, trajectory, decoders, scores, steps)


def decode(options, path, trajectory, fitted, scores, steps):
    """Apply each fitted decoder of the belief to dreams and to the real states beside them.

    Where there is nothing to apply or to compare with, the scores say so in a sentence.
    """
    known, (header, every) = recording.load(trajectory), decoders.load(fitted)
    usable, bad = _usable(every, path, known, options["methods"])
    if usable and len(known.position):
        record, table = _read(usable, bad, path, known, options)
    else:
        record, table = _nothing(path, known, options)
    about = {"options": options, "trained_on": header["inputs"]}
    contract.write_log(steps, "dreams_steps", about, table)
    files.write_json(scores, record)


def _read(usable, bad, path, known, options):
    """(scores, {column: values} of every step) of the usable decoders."""
    found = dream_reading.load(path, known)
    walkable = _walkable(known, found)
    rows, details, table = dream_scores.standing(found.position), {}, []
    for (name, method), decoder in usable.items():
        guesses, floor = _guesses(decoder, path, found, known)
        facts = _facts(guesses, found, known, walkable, options["jump"])
        rows += dream_scores.rows(name, method, facts, floor, walkable, options["jump"])
        details.setdefault(name, {})[method] = {"floor": floor, "variants": facts}
        table += [_steps(name, method, kind, *item, found, known) for kind, item in guesses.items()]
    record = {
        "summary": rows,
        "notes": [
            f"{len(found.real)} starts. {POLICY_NOTE}",
            *_notes(details, walkable),
            *([f"Not finite, so not decoded: {', '.join(bad)}."] if bad else []),
        ],
        "not_yet": NOT_YET,
        "displacement": dream_scores.displacement(found.position),
        "details": details,
    }
    return record, {column: np.concatenate([part[column] for part in table]) for column in COLUMNS}


def _nothing(path, known, options):
    """The same where no dream can be decoded, with the reason."""
    belief, methods = contract.layers(path, "dreams"), ", ".join(options["methods"])
    words = "The recording has no positions to compare dreams with."
    if len(known.position):
        words = (
            f"Position decoding fitted no decoder of {', '.join(belief)} (methods: {methods}) that "
            "could be applied to finite activity, so dreams were not read."
        )
    empty = {"summary": [], "notes": [words], "not_yet": [], "displacement": [], "details": {}}
    return empty, dict.fromkeys(COLUMNS, np.zeros(0))


def _usable(every, path, known, methods):
    """({(representation, method): Decoder}, names whose activity is not finite).

    Of decoders that need nothing but belief layers.
    """
    belief, usable, bad = set(contract.layers(path, "dreams")), {}, []
    for name, found in every.items():
        layers = next(iter(found.values())).layers
        if not belief >= set(layers):
            continue
        sides = ((known.path, layers), (path, layers, "dreams"))
        if sources.finite(*(recording.activity(*side) for side in sides)):
            usable |= {(name, method): found[method] for method in found if method in methods}
        else:
            bad.append(name)
    return usable, bad


def _guesses(decoder, path, found, known):
    """{variant: (guess [N, H + 1, 2], p, entropy, action)}, real states among them, and the floor.

    The floor is the mean error on all recorded states.
    """
    awake = decoders.apply(decoder, recording.activity(known.path, decoder.layers))
    dreamt = decoders.apply(decoder, recording.activity(path, decoder.layers, "dreams"))
    made = {
        variant: (*_at(dreamt, rows, found.position), found.action[variant])
        for variant, rows in found.order.items()
    }
    made[REAL] = (*_at(awake, found.real, found.position), _real_actions(known, found))
    return made, float(errors.euclidean(awake.point, known.position).mean())


def _at(guess, rows, position):
    """Points, probability of the true tile and entropy of a Guess at rows [N, H + 1]."""
    blank = np.full(rows.shape, np.nan)
    if guess.probabilities is None:
        return guess.point[rows], blank, blank
    flat = guess.probabilities[rows.ravel()]
    own = errors.own(flat, errors.columns(guess.tiles, position.reshape(-1, 2)))
    return guess.point[rows], own.reshape(rows.shape), errors.entropy(flat).reshape(rows.shape)


def _real_actions(known, found):
    """The action that led to each real state, [N, H + 1]; NaN at the start."""
    done = contract.read(known.path, ["action"])["action"].astype(float)
    action = np.full(found.real.shape, np.nan)
    action[:, 1:] = done[found.real[:, :-1]]
    return action


def _facts(guesses, found, known, walkable, jump):
    names, episode = known.header["actions"], known.episode[found.real[:, 0]]
    return {
        variant: dream_scores.by_horizon(guess, entropy, found.position, episode)
        | dream_scores.spatial(guess, action, names, walkable, jump)
        for variant, (guess, _, entropy, action) in guesses.items()
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
        if variant != REAL
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


def _steps(name, method, variant, guess, p, entropy, action, found, known):
    """{column: [N * (H + 1)]} of one decoder and variant."""
    shape = found.real.shape
    start = found.real[:, :1]
    flat = {
        "representation": np.full(shape, name),
        "method": np.full(shape, method),
        "variant": np.full(shape, variant),
        "start_episode": np.broadcast_to(known.episode[start], shape),
        "start_step": np.broadcast_to(known.step[start], shape),
        "h": np.broadcast_to(np.arange(shape[1]), shape),
        "action": action,
        "true_x": found.position[..., 0],
        "true_y": found.position[..., 1],
        "x": guess[..., 0].astype(float),
        "y": guess[..., 1].astype(float),
        "p": p,
        "entropy": entropy,
        "error": errors.euclidean(guess, found.position),
    }
    return {column: values.reshape(-1) for column, values in flat.items()}


if __name__ == "__main__":
    cli.run(main)
