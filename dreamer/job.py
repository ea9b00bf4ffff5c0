"""What a training is asked to do: options, and where everything goes."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax

from dreamer import checkpoint, checks, family, flags, options, platform, spaces, state, tasks
from dreamer import versions as packages
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
        """Folder in which each logger has its own."""
        return self.state.parent

    def outputs(self):
        """The files that a finished training leaves."""
        return [self.checkpoint, self.metrics, self.episodes, *self.snapshots.values()]

    def identity(self):
        """What a saved state belongs to."""
        return state.identity(self.options, self.code) | {"versions": versions(self.options)}

    def provenance(self):
        """The part of a checkpoint's header that says what made it."""
        return {"spec": self.spec, "code": self.code, "versions": versions(self.options)}

    def finished(self):
        """Whether all outputs are there and come from these options and this code."""
        if not all(path.is_file() for path in self.outputs()):
            return False
        header, _ = checkpoint.load(self.checkpoint)
        made, wanted = (header["options"], header["code"]), (self.options, self.code)
        same = state.identity(*made) == state.identity(*wanted)
        return same and header["options"]["run"]["steps"] == self.options["run"]["steps"]


def versions(tree):
    """Versions of Python and of the packages that decide numbers, the environment's included."""
    return packages.of(*PACKAGES, *tasks.find(tree["task"]).packages())


def from_spec(path, outputs, snapshots, cadence=None):
    """The job of a spec file; outputs {checkpoint, metrics, episodes, state: path}.

    `cadence` {'run.save_every': 5} are options that change no result and are in no spec.
    """
    missing = [name for name in OUTPUTS if outputs[name] is None]
    if missing:
        raise Refused(f"--spec needs --{', --'.join(missing)} beside it")
    spec = specs.read(path)
    wanted = spec["options"]["run"]["snapshots"]
    places = flags.snapshots(wanted, snapshots, "step")
    tree = options.override(spec["options"], cadence)
    check(tree)
    return Job(tree, spec["code"], specs.name(spec), **outputs, snapshots=places)


def by_hand(folder, configs, overrides):
    """A job from presets and overrides {'run.steps': 100}, all outputs in `folder`."""
    resolved = options.resolve(configs, overrides)
    check(resolved)
    environment = tasks.find(resolved["task"]).modules()
    code = closure.digest("dreamer.train", family.module(resolved["agent"]), *environment)
    outputs = {"checkpoint": folder / "checkpoint.safetensors", "state": folder / "train.state"}
    outputs |= {name: folder / f"{name}.parquet" for name in ("metrics", "episodes")}
    steps = resolved["run"]["snapshots"]
    places = {step: folder / "snapshots" / f"{step}.safetensors" for step in steps}
    return Job(resolved, code, None, **outputs, snapshots=places)


def check(resolved):
    """Choose the platform, and refuse before anything is written what could not be trained."""
    module = family.load(resolved["agent"])
    if getattr(module, "OFFLINE", False):
        module.train()  # which refuses, and says by which commands the family is trained
    checks.check(resolved)
    platform.choose(resolved["run"]["platform"])
    envs = vector.make(resolved["task"], resolved["env"], 1, resolved["seed"])
    seen = spaces.of(envs.single_observation_space, envs.single_action_space)
    envs.close()
    state = jax.eval_shape(partial(module.init, resolved, seen), jax.random.key(0))
    if resolved["replay"]["sampler"] == "uncertainty_caching" and not hasattr(module, "surprise"):
        raise Refused(
            "option replay.sampler is 'uncertainty_caching', but the agent family "
            f"{resolved['agent']} has no function `surprise`; choose 'uncertainty'"
        )
    start = resolved["run"]["from_checkpoint"]
    if start:
        checkpoint.check(state.params.values, checkpoint.load(start)[1], start)
