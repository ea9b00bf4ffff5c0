"""What a training is asked to do: options, and where everything goes."""

import importlib.metadata
import platform
from pathlib import Path
from typing import NamedTuple

from dreamer import checkpoint, family, options, state
from jobs import closure, specs
from jobs.errors import Refused

PACKAGES = ("jax", "numpy", "crafter")
OUTPUTS = ("checkpoint", "metrics", "episodes", "state")


class Job(NamedTuple):
    """Resolved options, hash of the code, name of the spec (None by hand), and output paths."""

    options: dict
    code: str
    spec: str | None
    checkpoint: Path
    metrics: Path
    episodes: Path
    state: Path
    snapshots: dict  # {environment step: path}

    @property
    def board(self):
        """Folder of the TensorBoard logs."""
        return self.state.parent / "tensorboard"

    def outputs(self):
        """The files that a finished training leaves."""
        return [self.checkpoint, self.metrics, self.episodes, *self.snapshots.values()]

    def identity(self):
        """What a saved state belongs to."""
        return state.identity(self.options, self.code)

    def provenance(self):
        """The part of a checkpoint's header that says what made it."""
        versions = {name: importlib.metadata.version(name) for name in PACKAGES}
        versions["python"] = platform.python_version()
        return {"spec": self.spec, "code": self.code, "versions": versions}

    def finished(self):
        """Whether all outputs are there and come from these options and this code."""
        if not all(path.is_file() for path in self.outputs()):
            return False
        header, _ = checkpoint.load(self.checkpoint)
        same = state.identity(header["options"], header["code"]) == self.identity()
        return same and header["options"]["run"]["steps"] == self.options["run"]["steps"]


def from_spec(path, outputs, snapshots):
    """The job of a spec file; outputs {checkpoint, metrics, episodes, state: path}."""
    missing = [name for name in OUTPUTS if outputs[name] is None]
    if missing:
        raise Refused(f"--spec needs --{', --'.join(missing)} beside it")
    spec = specs.read(path)
    wanted = [int(step) for step in spec["options"]["run"]["snapshots"]]
    given = {item.stem: item for item in snapshots or ()}
    if sorted(given) != sorted(map(str, wanted)):
        raise Refused(
            f"option run.snapshots asks for {wanted}, but --snapshots gives {sorted(given)}; "
            "give one path <step>.safetensors for each"
        )
    places = {step: given[str(step)] for step in wanted}
    return _checked(
        Job(spec["options"], spec["code"], specs.name(spec), **outputs, snapshots=places)
    )


def by_hand(folder, configs, overrides):
    """A job from presets and overrides {'run.steps': 100}, all outputs in `folder`."""
    resolved = options.resolve(configs, overrides)
    modules = "dreamer.train", family.module(resolved["agent"]), f"dreamer.envs.{resolved['task']}"
    outputs = {"checkpoint": folder / "checkpoint.safetensors", "state": folder / "train.state"}
    outputs |= {name: folder / f"{name}.parquet" for name in ("metrics", "episodes")}
    steps = resolved["run"]["snapshots"]
    places = {step: folder / "snapshots" / f"{step}.safetensors" for step in steps}
    return _checked(Job(resolved, closure.digest(*modules), None, **outputs, snapshots=places))


def _checked(job):
    """The job, or a refusal of what would fail only after hours."""
    run = job.options["run"]
    for step in run["snapshots"]:
        if type(step) is not int or not 0 < step <= run["steps"]:
            raise Refused(
                f"option run.snapshots holds {step!r}, but takes environment steps from 1 to "
                f"run.steps, which is {run['steps']}"
            )
    if run["from_checkpoint"]:
        checkpoint.load(run["from_checkpoint"])
    if not callable(getattr(family.load(job.options["agent"]), "train", None)):
        raise Refused(f"the agent family '{job.options['agent']}' has no function train")
    return job
