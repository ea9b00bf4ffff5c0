"""What a training is asked to do: options, and where everything goes."""

import importlib.metadata
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax

from dreamer import checkpoint, family, options, platform, spaces, state
from dreamer.envs import vector
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
        versions["python"] = sys.version.split()[0]
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
    wanted = spec["options"]["run"]["snapshots"]
    given = {item.stem: item for item in snapshots or ()}
    if sorted(given) != sorted(map(str, wanted)):
        raise Refused(
            f"option run.snapshots asks for {wanted}, but --snapshots gives {sorted(given)}; "
            "give one path <step>.safetensors for each"
        )
    check(spec["options"])
    places = {step: given[str(step)] for step in wanted}
    return Job(spec["options"], spec["code"], specs.name(spec), **outputs, snapshots=places)


def by_hand(folder, configs, overrides):
    """A job from presets and overrides {'run.steps': 100}, all outputs in `folder`."""
    resolved = options.resolve(configs, overrides)
    check(resolved)
    environment = vector.module(resolved["task"]).__name__
    code = closure.digest("dreamer.train", family.module(resolved["agent"]), environment)
    outputs = {"checkpoint": folder / "checkpoint.safetensors", "state": folder / "train.state"}
    outputs |= {name: folder / f"{name}.parquet" for name in ("metrics", "episodes")}
    steps = resolved["run"]["snapshots"]
    places = {step: folder / "snapshots" / f"{step}.safetensors" for step in steps}
    return Job(resolved, code, None, **outputs, snapshots=places)


def check(resolved):
    """Choose the platform, and refuse before anything is written what could not be trained."""
    platform.choose(resolved["run"]["platform"])
    _check_run(resolved["run"], resolved["replay"])
    module = family.load(resolved["agent"])
    envs = vector.make(resolved["task"], resolved["env"], 1, resolved["seed"])
    seen = spaces.of(envs.single_observation_space, envs.single_action_space)
    envs.close()
    state = jax.eval_shape(partial(module.init, resolved, seen), jax.random.key(0))
    start = resolved["run"]["from_checkpoint"]
    if start:
        checkpoint.check(state.params.values, checkpoint.load(start)[1], start)


def _check_run(run, replay):
    for step in run["snapshots"]:
        if type(step) is not int or not 0 < step <= run["steps"]:
            raise Refused(
                f"option run.snapshots holds {step!r}, but takes environment steps from 1 to "
                f"run.steps, which is {run['steps']}"
            )
    if replay["context"] != 1:
        raise Refused(
            f"option replay.context is {replay['context']}, but agents start from the belief of "
            "exactly one step: 1"
        )
    window = run["batch_length"] + replay["context"]
    if replay["size"] < run["envs"] * window:
        raise Refused(
            f"option replay.size is {replay['size']}, but {run['envs']} environments with windows "
            f"of {window} steps need at least {run['envs'] * window}"
        )
