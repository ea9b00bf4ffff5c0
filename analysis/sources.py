"""What is decoded: the recorded layers, the belief as a whole, and the controls beside them."""

from typing import NamedTuple

import numpy as np

from analysis import controls, recording


class Source(NamedTuple):
    """Layers side by side, or a control (analysis/controls.py) that needs no network."""

    layers: tuple
    control: str | None = None


def listed(plan, options):
    """({name: Source}, names of the controls, sentences about what is lacking)."""
    layers = plan.train.header["layers"]
    own = recording.representations(layers, options["layers"], options["combined"])
    named = {name: Source(tuple(parts)) for name, parts in own.items()}
    beside, lacks = [], []
    for control in options["controls"]:
        name = controls.name(control, options)
        lacking = controls.lacking(control, plan.train.path, plan.test.path)
        if control == "tokens":
            lacking = None if name in layers else name
            named |= {} if lacking else {name: Source((name,))}
        elif not lacking:
            named[name] = Source((), control)
        if lacking:
            lacks.append(f"Control {name}: the recording has no {lacking}.")
        else:
            beside.append(name)
    return named, beside, lacks


def read(source, plan, options):
    """(training activity [T, D], test activity) for the rows of a plan."""
    if source.control:
        return controls.read(source.control, plan, options)
    inputs = activity(plan.train, source.layers)
    return inputs, inputs if plan.test is plan.train else activity(plan.test, source.layers)


def of_fold(source, plan, rows, whole, options):
    """What `read` gave as `whole`, for a fold that trains on `rows`.

    The axes of images are learned: where a recording is folded, from each fold's own episodes.
    """
    if source.control != "pixels" or plan.test is not plan.train:
        return whole
    return controls.read(source.control, plan, options, rows)


def activity(found, layers):
    """Activity [T, D] of a recording's rows; only these are read."""
    return recording.activity(found.path, layers, rows=found.rows)


def finite(*parts):
    """Whether no value is NaN or infinite."""
    return all(np.isfinite(part).all() for part in parts)
