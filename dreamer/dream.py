"""Dream from recorded states: what the agent imagines, beside what really happened.

Each start is dreamt twice: `policy` (the policy acts) and `forced` (the actions really taken are
replayed). Row h = 0 is the recorded posterior at the start, row h >= 1 the state after h imagined
steps; its action is the one that led to it, its x and y the real position at start_step + h.

S is starts, B starts dreamt at once, H imagined steps.
"""

import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np

from dreamer import checkpoint as checkpoints
from dreamer import imagined, observed, platform, stages, starts
from dreamer import trajectory as contract
from jobs import cli, files
from jobs.errors import Refused

NO_START = "No episode was long enough for dreams of {} steps."


def main(
    checkpoint: Path,
    trajectory: Path,
    dreams: Path,
    spec: Path | None = None,
    overrides: dict | None = None,
):
    """Dream from states of a recording, twice each: the policy acts, or the real actions do.

    Options come from --spec, or by hand from flags such as --dreams.num_starts 32.
    """
    options = stages.options("dreams", spec, overrides)
    _check(options)
    platform.choose(options["platform"])
    agent = checkpoints.restore(checkpoint)
    _check_recording(agent, checkpoint, trajectory)
    rows = starts.draw(trajectory, options["num_starts"], options["horizon"], options["seed"])
    inputs = {"checkpoint": checkpoint, "trajectory": trajectory}
    provenance = stages.provenance(["dreamer.dream"], agent, spec, **inputs)
    about = header(agent, options, len(rows), provenance)
    about["absent"] = [name for name in ("x", "y") if not contract.has(trajectory, name)]
    if not len(rows):
        about["note"] = NO_START.format(options["horizon"])
        print(f"{trajectory}: {about['note']} Lower dreams.horizon to have some.", file=sys.stderr)
    contract.write(dreams, about, dream(agent, options, trajectory, rows))
    return {"device": platform.describe()}


def header(agent, options, count, provenance):
    """The header of dreams: belief layers, options, who dreamt, how many starts."""
    belief = [layer for layer in stages.layers(agent) if layer.belief]
    return {
        "kind": "dreams",
        "layers": {
            layer.name: {"width": layer.width, "dtype": layer.dtype, "belief": True}
            for layer in belief
        },
        "actions": agent.header["world"]["actions"],
        **observed.actions(agent.spaces.action),
        "area": agent.header["world"]["area"],
        "options": options,
        "starts": count,
        "images": "h = 0: the recorded observation; h >= 1: decoded from the imagined state",
        "agent": stages.agent_header(agent),
        "provenance": provenance,
    }


def dream(agent, options, path, rows):
    """Columns of the dreams from recorded `rows` [S], a batch at a time; the first keep images."""
    layers = {layer.name: layer.dtype for layer in stages.layers(agent) if layer.belief}
    imagine = {
        images: jax.jit(partial(_imagine, agent.family, options, layers, images))
        for images in (True, False)
    }
    key, done = jax.random.key(options["seed"]), 0
    with stages.Progress("dreaming", len(rows), "starts", "imagined steps") as progress:
        for images, batch in _batches(rows, round(options["image_share"] * len(rows))):
            states = partial(imagine[images], agent.params, jax.random.fold_in(key, done))
            wanted = options["horizon"], agent.spaces.action, layers, images
            yield imagined.columns(states, path, batch, *wanted)
            done += len(batch)
            progress.update(done, 2 * len(batch) * options["horizon"])


def _batches(rows, pictured):
    """(whether images are kept, a batch of rising rows) until every row had its turn."""
    for images, group in ((True, np.sort(rows[:pictured])), (False, np.sort(rows[pictured:]))):
        for first in range(0, len(group), imagined.BATCH):
            yield images, group[first : first + imagined.BATCH]


def _imagine(family, options, layers, images, params, key, belief, actions):
    """Actions [B, H, ...], {layer: [B, H, units]} as recorded, and images [B, H, ...] or None."""
    carry = family.start(params, imagined.BATCH, belief)
    horizon, sample = options["horizon"], options["sample"]
    actions, states, seen = family.imagine(params, carry, actions, horizon, key, sample)
    states = {name: states[name].astype(dtype) for name, dtype in layers.items()}
    return actions, states, seen.get("image") if images else None


def _check(options):
    for name in ("num_starts", "horizon"):
        if options[name] < 1:
            raise Refused(f"option dreams.{name} is {options[name]}, but must be above zero")
    if not 0 <= options["image_share"] <= 1:
        raise Refused(f"option dreams.image_share is {options['image_share']}, but is 0 to 1")


def _check_recording(agent, checkpoint, trajectory):
    """Refuse a recording of another agent: its states mean nothing to this one."""
    about = contract.header(trajectory)
    made = about.get("provenance", {}).get("checkpoint")
    if made is not None and made != files.sha256(checkpoint):
        raise Refused(f"{trajectory} was recorded from another checkpoint than {checkpoint}")
    for layer in stages.layers(agent):
        found = about["layers"].get(layer.name, {}).get("width")
        if layer.belief and found != layer.width:
            raise Refused(
                f"{trajectory} has {found or 'no'} units of {layer.name}, but {checkpoint} needs "
                f"{layer.width}; record the episodes again"
            )


if __name__ == "__main__":
    cli.run(main)
