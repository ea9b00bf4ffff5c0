"""What a phase is asked to do: its options, its data, and where everything goes."""

from pathlib import Path
from typing import NamedTuple

from dreamer import checkpoint as saved
from dreamer import flags, trajectory
from dreamer import options as trees
from dreamer import versions as packages
from jobs import closure, files, specs
from jobs.errors import Refused

PACKAGES = ("jax", "numpy", "optax")
SHARED = ("enc", "dec", "seed", "dtype")  # options of every phase, beside its blocks


class Asked(NamedTuple):
    """Resolved options, hash of the code, name of the spec (None by hand), inputs and outputs."""

    options: dict
    code: str
    spec: str | None
    inputs: dict  # {dataset, test, start: Path or None}
    hashes: dict  # of their content
    checkpoint: Path
    metrics: Path
    state: Path
    snapshots: dict  # {update: path}

    def outputs(self):
        """The files that a finished phase leaves."""
        return [self.checkpoint, self.metrics, *self.snapshots.values()]

    def identity(self, phase):
        """What a saved state belongs to: not on how many devices it was computed."""
        blocks = {name: self.options[name] for name in (*phase.brings, phase.block, *SHARED)}
        first = {} if phase.after else {"from": self.options["run"]["from_checkpoint"]}
        data = {name: self.hashes[name] for name in ("dataset", "test", "start")}
        found = {
            "phase": phase.name,
            "code": self.code,
            "versions": packages.of(*PACKAGES),
            "data": data,
        }
        return found | {"options": blocks} | first

    def provenance(self):
        """The part of a checkpoint's header that says what made it."""
        found = {"spec": self.spec, "code": self.code, "versions": packages.of(*PACKAGES)}
        return found | {"inputs": self.hashes}

    def finished(self):
        """Whether all outputs are there and come from these options, data and code."""
        if not all(path.is_file() for path in self.outputs()):
            return False
        wanted = {"options": trees.result(self.options), **self.provenance()}
        return saved.load(self.checkpoint)[0].items() >= wanted.items()


def from_spec(phase, path, inputs, outputs, snapshots, overrides):
    """What a spec file asks for, with all paths given."""
    missing = [name for name, place in outputs.items() if place is None]
    if missing:
        raise Refused(f"--spec needs --{', --'.join(missing)} beside it")
    free = {name: value for name, value in overrides.items() if name in trees.CADENCE}
    if len(free) < len(overrides):
        name = next(name for name in overrides if name not in free)
        raise Refused(f"{path} holds every option, so leave out --{name}")
    spec = specs.read(path)
    tree = trees.override(spec["options"], free)
    places = _snapshots(phase, tree, snapshots, None)
    return _asked(phase, tree, spec["code"], specs.name(spec), inputs, outputs, places)


def by_hand(phase, folder, configs, inputs, overrides):
    """What presets and dotted flags ask for, all outputs in `folder`."""
    tree = trees.resolve(configs, {"agent": "v4", **_world(inputs["dataset"]), **overrides})
    code = closure.digest(f"dreamer.v4.{phase.command}", "dreamer.v4.agent")
    last = phase.name == "imagination"
    outputs = {
        "checkpoint": folder / f"{'checkpoint' if last else phase.name}.safetensors",
        "metrics": folder / f"{phase.name}_metrics.parquet",
        "state": folder / f"{phase.name}.state",
    }
    places = _snapshots(phase, tree, None, folder / "snapshots")
    return _asked(phase, tree, code, None, inputs, outputs, places)


def _world(dataset):
    """The options of the world that a data set was made in, as far as it says so."""
    found = trajectory.header(dataset, "dataset") if dataset else {}
    known = {name: found.get(name) for name in ("task", "seed")}
    env = trees.flatten(found.get("env") or {}, "env.")
    return {name: value for name, value in known.items() if value is not None} | env


def _asked(phase, tree, code, spec, inputs, outputs, places):
    if inputs["dataset"] is None:
        raise Refused("say what to learn from: --dataset FILE of python -m dreamer.dataset")
    if bool(inputs["start"]) != bool(phase.after):
        raise Refused(
            f"--start is the checkpoint of phase '{phase.after}', with which this one begins"
            if phase.after
            else "the tokenizer is the first phase, so leave out --start"
        )
    for name in ("dataset", "test"):
        if inputs[name]:
            trajectory.open_file(inputs[name], "dataset")
    hashes = {name: _hash(path) for name, path in inputs.items()}
    if hashes["dataset"] == hashes["test"]:
        raise Refused(
            f"{inputs['dataset']} and {inputs['test']} hold the same episodes, so nothing would be "
            "held out; give --test another data set, or leave it out"
        )
    return Asked(tree, code, spec, inputs, hashes, **outputs, snapshots=places)


def _hash(path):
    if path is None:
        return None
    files.need(path, "run the step that makes it first")
    return files.sha256(path)


def _snapshots(phase, tree, given, folder):
    """{update: path}; only the last phase keeps checkpoints on its way."""
    wanted = tree["run"]["snapshots"] if phase.name == "imagination" else []
    beyond = [step for step in wanted if not 0 < step <= tree[phase.block]["updates"]]
    if beyond:
        raise Refused(
            f"option run.snapshots holds {beyond[0]}, but {phase.name} makes "
            f"{tree[phase.block]['updates']} updates (option {phase.block}.updates)"
        )
    if folder:
        return {step: folder / f"{step}.safetensors" for step in wanted}
    return flags.snapshots(wanted, given, "update")
