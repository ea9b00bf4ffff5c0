"""Make a checkpoint of a run that the authors' implementation, or a fork of it, has trained."""

import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np

from dreamer import checkpoint as checkpoints
from dreamer import family, foreign, foreign_logs, foreign_spaces, pickles, plain, spaces, stages
from dreamer.envs import vector
from dreamer.trajectory import POSITION
from jobs import cli, closure, files, specs
from jobs import foreign as places
from jobs.errors import Refused

AGENT = "v3"
OPTIMIZER = "opt/"  # not part of a published checkpoint


def main(
    out: Path,
    run_dir: Path | None = None,
    checkpoint: str = "latest",
    metrics: Path | None = None,
    episodes: Path | None = None,
    spec: Path | None = None,
):
    """Import the weights and settings of a run directory: --run-dir DIR --out FILE.safetensors.

    --checkpoint names one by its stamp. --metrics and --episodes receive its training log. Pickles
    are read without running anything in them.
    """
    if spec:
        options = specs.read(spec)["options"]
        run_dir, checkpoint = options["import_run"], options["checkpoint"]
    elif run_dir is None:
        raise Refused("say which run to import: python -m dreamer.import_run RUN_DIR --out FILE")
    found = places.run(run_dir, checkpoint)
    values, counters = parameters(found.agent)
    header = about(found, values, counters) | provenance(spec)
    log = foreign_logs.read(found.log)
    checkpoints.save(out, values, header)
    for path, kind in ((metrics, "metrics"), (episodes, "episodes")):
        if path:
            foreign_logs.write(path, kind, log, header)
    return {"imported": {str(path): files.sha256(path) for path in found.files()}}


def parameters(path):
    """({name: array}, counters) of an agent.pkl, without what only its optimiser needs."""
    found = pickles.load(path)
    params = found.get("params") if isinstance(found, dict) else None
    if not isinstance(params, dict) or not all(isinstance(name, str) for name in params):
        raise Refused(f"{path} is no agent of DreamerV3: it has no parameters by name")
    values = {
        name: _numbers(name, value, path)
        for name, value in params.items()
        if not name.startswith(OPTIMIZER)
    }
    counters = found.get("counters")
    return values, counters if isinstance(counters, dict) else {}


def _numbers(name, value, path):
    try:
        found = plain.array(value)
    except ValueError as error:
        raise Refused(f"{path} has the parameter {name} {error}") from None
    if not np.isfinite(found).all():
        raise Refused(
            f"{path} has NaN or infinity in {name}: its training had failed; import an earlier "
            "checkpoint of the run"
        )
    return found


def about(found, values, counters):
    """The checkpoint's header, after making sure that the parameters fit the run's settings."""
    shapes = {name: value.shape for name, value in values.items()}
    told = bool(foreign.read(found.config).get("agent.include_position"))
    keys = foreign_spaces.keys(shapes, told, found.agent)
    given = any(POSITION in pattern for pattern in keys.values())
    more = {f"{part}.keys": pattern for part, pattern in keys.items()}
    tree = foreign.tree(found.config, **more, **{"env.crafter.player_pos": given})
    env = vector.build(tree["task"], tree["env"][tree["task"]], tree["seed"], tree["seed"], 0)
    foreign_spaces.check_actions(shapes, int(env.action_space.n), found.agent)
    seen = spaces.of(env.observation_space, env.action_space)
    init = partial(family.load(AGENT).init, tree, seen)
    check(jax.eval_shape(init, jax.random.key(0)).params.values, values, found.agent)
    return {
        "agent": AGENT,
        "options": tree,
        "step": step(found.step),
        "updates": updates(counters, values, found.agent),
        "seed": tree["seed"],
        "spaces": spaces.to_json(seen),
        "world": env.world,
        "imported": {
            "run": found.config.parent.resolve().name,
            "checkpoint": found.stamp,
            "agent": files.sha256(found.agent),
            "config": files.sha256(found.config),
            "trained_with": foreign.trained_with(found.config),
        },
    }


def check(wanted, found, path):
    """Refuse parameters that differ in name, shape or type from the wanted ones."""
    checkpoints.check(wanted, found, path)
    wrong = [name for name in sorted(wanted) if found[name].dtype != wanted[name].dtype]
    if wrong:
        lines = [f"{name} is {found[name].dtype}, not {wanted[name].dtype}" for name in wrong[:12]]
        raise Refused(f"{path} holds numbers of other types: {', '.join(lines)}")


def step(path):
    """Environment steps of the training from a step.pkl; 0 where it is not there."""
    found = plain.whole(pickles.load(path)) if path else 0
    if found is None:
        raise Refused(f"{path} holds no number of steps; without it 0 steps are told")
    return found


def updates(counters, values, path):
    """How often the parameters were updated, as their file counts it, else as the slow critic."""
    found = plain.whole(counters.get("updates") or int(values["slowval_count/value"]))
    if found is None:
        told = plain.brief(counters["updates"])
        raise Refused(f"{path} counts {told} updates, which is no whole number")
    return found


def provenance(spec):
    """Which code and versions made the checkpoint."""
    found = specs.read(spec) if spec else None
    modules = ["dreamer.import_run", family.module(AGENT), vector.module("crafter").__name__]
    return {
        "spec": specs.name(found) if spec else None,
        "code": found["code"] if spec else closure.digest(*modules),
        "versions": stages.versions(),
    }


if __name__ == "__main__":
    words = sys.argv[1:]
    cli.run(main, ["--run-dir", *words] if words and not words[0].startswith("-") else words)
