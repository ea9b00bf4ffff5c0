"""Record episodes of a trained agent: what it saw, where it was, what every layer computed."""

import re
from pathlib import Path

import jax

from dreamer import checkpoint as checkpoints
from dreamer import distinct, observed, platform, playing, recorder, stages, tasks
from dreamer.envs import vector
from dreamer.trajectory import POSITION
from jobs import cli
from jobs.errors import Refused


def main(
    checkpoint: Path,
    trajectory: Path,
    test_trajectory: Path | None = None,
    work: Path | None = None,
    spec: Path | None = None,
    overrides: dict | None = None,
):
    """Record episodes of a checkpoint into one file, and others for testing into a second.

    Options come from --spec, or by hand from flags such as --record.episodes 5. Finished episodes
    wait in the folder --work, so that a second start records only the missing ones.
    """
    options = stages.options("record", spec, overrides)
    _check(options, test_trajectory)
    platform.choose(options["platform"])
    agent = checkpoints.restore(checkpoint)
    environment = vector.module(agent.options["task"])
    if hasattr(environment, "check_varied"):
        environment.check_varied(_world(agent), options["sample"])
    modules = ["dreamer.record", *tasks.find(agent.options["task"]).modules()]
    provenance = stages.provenance(modules, agent, spec, checkpoint=checkpoint)
    work = work or trajectory.with_name(f"{trajectory.stem}.work")
    wanted = [(trajectory, options["episodes"], options["seed"])]
    if test_trajectory:
        wanted.append((test_trajectory, options["test_episodes"], options["test_seed"]))
    found = {}
    for path, episodes, seed in wanted:
        about = header(agent, options, seed, provenance)
        found[path] = recorder.Parts(work, about, episodes, jax.default_backend())
        play(agent, found[path])
    for path, kept in zip(found, distinct.parts(found.values()), strict=True):
        found[path].publish(path, kept)
    recorder.remove(work)
    return {"device": platform.describe()}


def header(agent, options, seed, provenance):
    """The recording's header: layers with their unit subsets, the world's names, options."""
    world = agent.header["world"]
    absent = [*world["absent"], *([] if options["images"] else ["image"])]
    return {
        **world,
        **observed.header(agent, options["images"]),
        "kind": "trajectory",
        "layers": {layer.name: _layer(layer, options["cap"]) for layer in stages.layers(agent)},
        "absent": sorted(absent),
        "units": recorder.UNITS,
        "options": options,
        "seed": seed,
        "told_position": _told(agent),
        "world": {"task": agent.options["task"], **_world(agent)},
        "agent": stages.agent_header(agent),
        "provenance": provenance,
    }


def play(agent, parts):
    """Play the episodes that are missing among `parts` and save each when it ends."""
    if not parts.missing():
        return
    options, seed = parts.header["options"], parts.header["seed"]
    world_seed = agent.header["seed"] if _world(agent).get("fixed_seed") else seed
    done = parts.episodes - len(parts.missing())

    begin = playing.starter(agent, options["sample"], _units(parts.header["layers"]))
    with stages.Progress("recording", parts.episodes, "episodes", "steps") as progress:
        for finished, steps in playing.play(
            parts, begin, agent.options, world_seed, seed, options["envs"], parts.header
        ):
            done += finished
            progress.update(done, steps)


def _units(layers):
    """What is kept of activations: the recorded units in their recorded dtype."""
    return lambda _, found: {name: recorder.kept(found[name], layers[name]) for name in layers}


def _layer(layer, cap):
    units = recorder.units(layer, cap)
    return {
        "width": len(units) if units else layer.width,
        "of": layer.width,
        "units": units,
        "dtype": layer.dtype,
        "belief": layer.belief,
    }


def _told(agent):
    """Whether the agent sees its position, or was trained to predict it."""
    seen = [name for name, _ in agent.spaces.observation if name == POSITION]
    parts = [agent.options[part]["keys"] for part in ("enc", "dec")]
    return any(re.search(pattern, name) for pattern in parts for name in seen)


def _world(agent):
    return tasks.options(agent.options)


def _check(options, test_trajectory):
    names = ["episodes", "envs", "cap", *(["test_episodes"] if test_trajectory else [])]
    for name in names:
        if options[name] < 1:
            raise Refused(f"option record.{name} is {options[name]}, but must be above zero")
    if test_trajectory and options["seed"] == options["test_seed"]:
        raise Refused(
            f"record.seed and record.test_seed are both {options['seed']}, so the test recording "
            "would repeat the other; give them different seeds"
        )


if __name__ == "__main__":
    cli.run(main)
