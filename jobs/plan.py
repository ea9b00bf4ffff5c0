"""What the workflow is about to do: the checked configuration and the hashes of code and locks.

Snakemake's main process makes the plan and writes it down; the processes it starts for single jobs
read that file and not the live configuration, so that a queued job does what was planned.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from dreamer import options as agent_options
from jobs import (
    checks,
    closure,
    derived,
    files,
    foreign,
    offline,
    origins,
    spec_files,
    specs,
    stages,
)
from jobs.errors import Refused
from jobs.stages import STAGES
from jobs.trees import check, modules, tree

FOLDER = Path("results/specs")
VARIABLE = "DREAM_ATLAS_PLAN"
LOCKS = ("agent", "agent-cuda", "analysis")


@dataclass(frozen=True)
class Plan:
    """One start of the workflow: its configuration, the hashes of modules and of locks."""

    config: dict
    code: dict
    locks: dict

    def run(self, name):
        """The configuration of a run by name."""
        for item in self.config["runs"]:
            if item["name"] == name:
                return item
        known = ", ".join(item["name"] for item in self.config["runs"])
        raise Refused(f"there is no run '{name}' in the configuration; there are {known}")

    def stages(self, run):
        """Names of the stages that a run has, `run` being its part of the configuration."""
        without = set() if self.config["untrained"]["enabled"] else {"untrained"}
        without |= set() if self.snapshots(run) else stages.SERIES
        several = len({item["agent"] for item in self.config["runs"]}) > 1
        without |= set() if several else {"matched"}
        asked = self.config["evaluation"]["of"] == "all" or run["agent"] in stages.OFFLINE
        without |= set() if asked else stages.EVALUATED
        return [name for name in stages.of(run) if name not in without]

    def snapshots(self, run):
        """Steps before the last at which checkpoints are kept, if they are also looked into."""
        if "snapshots" not in stages.of(run) or not self.config["over_training"]["enabled"]:
            return []
        found = tree(run, 0)["run"]
        return sorted(step for step in found["snapshots"] if step < found["steps"])

    def spec(self, stage, run=None, seed=None):
        """The spec of a stage, for one run and seed where the stage has them."""
        place = self.run(run) if run else None
        options = self._options(stage, place, seed)
        wanted = modules(stage, place, self.config)
        lock = self.locks[self.environment(stage, run)]
        seed = None if seed is None else int(seed)
        return specs.build(run, seed, stage, options, wanted, self.code["+".join(wanted)], lock)

    def _options(self, stage, run, seed):
        """The options in a spec: those of its block, but for the stages that begin a run."""
        block = STAGES[stage].block
        options = self.config[block] if block else {}
        if stage in derived.OPTIONS:
            return derived.OPTIONS[stage](self.config)
        if stage == "train":
            return agent_options.result(tree(run, seed))
        if stage in stages.PHASES:
            found = agent_options.result(tree(run, seed))
            return offline.options(stage, found, agent_options.resolve((), {"agent": run["agent"]}))
        if stage == "dataset":
            return offline.data(run, tree(run, seed))
        if stage == "import_run":
            found = foreign.run(run["import_run"], run["checkpoint"])
            return {"import_run": run["import_run"], "checkpoint": found.stamp}
        if stage == "import_trajectories":
            names = ("import_trajectories", "told_position", "area")
            return {name: run[name] for name in names} | {"cap": self.config["record"]["cap"]}
        if stage == "position" and run["import_trajectories"] and options["split"] == "test":
            return {**options, "split": "episodes"}  # there is no second recording
        if stage == "tuning" and run["import_trajectories"]:
            return {**options, "test": False}
        return options

    def imported(self, run):
        """Files that the run begins with, which are inputs of its first job; none if trained."""
        place = self.run(run)
        if place["import_run"]:
            return foreign.run(place["import_run"], place["checkpoint"]).files()
        if place["import_trajectories"]:
            return foreign.recordings(place["import_trajectories"])
        return []

    def played(self, run, seed):
        """Files that the data set of a run is made from."""
        place = self.run(run)
        source = self.run(place["data"]["run"]) if place["data"]["run"] else None
        if not source:
            return offline.inputs(place, seed, [])
        kept = [] if source["import_run"] else tree(source, 0)["run"]["snapshots"]
        label = source["seeds"][0] if source["import_run"] else seed
        return offline.inputs(place, label, sorted(kept))

    def environment(self, stage, run=None):
        """Which of the three environments a stage runs in."""
        if not STAGES[stage].agent:
            return "analysis"
        return "agent-cuda" if self.gpu(stage, run) else "agent"

    def gpu(self, stage, run=None):
        """Whether a stage asks for a GPU: its own platform, or the run's where that is auto."""
        item, chosen = STAGES[stage], "auto"
        if item.block:
            block = self.config[item.block]
            chosen = block.get("platform", block.get("device", "auto"))
        if stage == "dataset":  # only a checkpoint needs a GPU to act
            block = self.run(run)["data"]
            chosen = block["platform"] if block["run"] else "cpu"
        if item.agent and chosen == "auto":
            chosen = tree(self.run(run), 0)["run"]["platform"]
        return chosen == "gpu"

    def resources(self, stage, run):
        """What a job asks of a cluster: gpu and gpu_model, or only gres; None leaves one out."""
        site, wanted = self.config["cluster"], self.gpu(stage, run)
        trained = stage in ("train", *stages.PHASES)
        model = site["gpu_train"] if trained else site["gpu_other"]
        if site["gres"]:
            return {"gpu": None, "gpu_model": None, "gres": f"gpu:{model}:1" if wanted else None}
        return {"gpu": int(wanted), "gpu_model": model if wanted else None, "gres": None}


def make(config):
    """The plan for a checked configuration; wrong agent options are refused before any job."""
    runs = {item["name"]: item for item in config["runs"]}
    if len(runs) < len(config["runs"]):
        raise Refused("in the configuration, two runs have the same name; give each its own")
    checks.recordings(config["record"])
    checks.decoding(config["position"])
    checks.images(config)
    for item in runs.values():
        check(item, config)
    if any("dreams" in stages.of(item) for item in runs.values()):
        checks.dreams(config)
    wanted = {
        tuple(modules(stage, item, config))
        for item in runs.values()
        for stage, found in STAGES.items()
        if stage in stages.of(item) or "{run}" not in found.first
    }
    code = {"+".join(names): closure.digest(*names) for names in wanted}
    locks = {name: files.sha256(closure.ROOT / f"envs/{name}.lock.txt") for name in LOCKS}
    return Plan(config, code, locks)


def hand_over(plan):
    """Write the plan, named by its content, and what its hashes stand for, for child processes."""
    if spec_files.looking:
        return
    origins.keep(FOLDER, plan.code, plan.locks)
    path = FOLDER.resolve() / f"plan.{specs.name(asdict(plan))}.json"
    if not path.exists():
        with files.atomic(path) as temporary:
            temporary.write_text(files.canonical(asdict(plan)))
    os.environ[VARIABLE] = str(path)


def handed_over():
    """The plan of the main process, or None where there is none (then the sources are frozen)."""
    path = os.environ.get(VARIABLE)
    return Plan(**files.read_json(path)) if path else None
