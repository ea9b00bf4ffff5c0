"""Runs of agents that learn offline: where their data come from, and what each phase depends on."""

import copy
from pathlib import Path

from dreamer import tasks
from jobs import files, stages
from jobs.errors import Refused

SOURCE = ("run", "checkpoints", "policies", "files")  # of `data`: who or what, not how much
PLAYED = ("episodes", "test_episodes", "envs", "sample", "platform")
FIRST, LAST = stages.PHASES[0], stages.PHASES[-1]
ONLY = {  # options that one phase reads
    "run.from_checkpoint": FIRST,
    "taps": LAST,
}


def options(stage, tree, defaults):
    """The option tree of a phase: what only other phases read is at its default.

    So an option makes its own phase stale and those after it. `defaults` is the family's tree.
    """
    found, place = copy.deepcopy(tree), stages.PHASES.index(stage)
    later = [stages.BLOCKS[name] for name in stages.PHASES[place + 1 :]]
    found |= {block: copy.deepcopy(defaults[block]) for block in later}
    if stage == FIRST:
        found["dyn"]["pack"] = tree["dyn"]["pack"]  # must divide the latents
        found["run"] |= {"from_checkpoint": tree["run"]["from_checkpoint"]}
    else:
        found["run"] |= {"from_checkpoint": defaults["run"]["from_checkpoint"]}
    if stage != LAST:
        found["taps"] = defaults["taps"]
        found["imag"]["context"] = min(found["imag"]["context"], found["dyn"]["window"])
    return found


def data(run, tree):
    """Options of the stage that writes the data set of a run."""
    found = {name: value for name, value in run["data"].items() if name not in SOURCE}
    without = PLAYED if run["data"]["files"] else ("test_share",)
    return {
        "data": {name: value for name, value in found.items() if name not in without},
        "policies": policies(run),
        "world": tasks.world(tree),
    }


def policies(run):
    """Who plays the episodes of a run's data set; nobody where they come from files."""
    block = run["data"]
    if block["files"]:
        return []
    return block["policies"] or (["agent"] if block["run"] else ["random"])


def inputs(run, seed, snapshots):
    """Files that a data set is made from: checkpoints in the order of training, or others.

    `snapshots` are the steps at which the run that plays keeps checkpoints.
    """
    block = run["data"]
    if block["files"]:
        return [str(Path(path).expanduser()) for path in block["files"]]
    if "agent" not in policies(run):
        return []
    folder = f"results/{block['run']}/seed{seed}"
    kept = snapshots if block["checkpoints"] == "all" else []
    return [*(f"{folder}/snapshots/{step}.safetensors" for step in kept),
            f"{folder}/checkpoint.safetensors"]  # fmt: skip


def check(run, runs, where):
    """Refuse data that cannot be had; `runs` {name: run} of the configuration."""
    block = run["data"]
    named = [name for name in SOURCE if block[name] and name != "checkpoints"]
    if run["agent"] not in stages.OFFLINE and named:
        words = f"data.{named[0]} is set, but agent {run['agent']} learns while it acts"
        raise Refused(f"{where}{words}; leave data out")
    if run["agent"] not in stages.OFFLINE:
        return
    if not named:
        words = f"agent {run['agent']} learns from data, so say from which"
        raise Refused(f"{where}{words}: data.run, data.policies or data.files")
    if block["files"] and (block["run"] or block["policies"]):
        raise Refused(f"{where}data.files goes with neither data.run nor data.policies; keep one")
    for path in block["files"]:
        fix = "give recordings, data sets or .npz files"
        files.need(Path(path).expanduser(), fix, f"{where}data.files: ")
    if ("agent" in policies(run)) != bool(block["run"]):
        raise Refused(f"{where}the policy agent and data.run go together; give both or neither")
    if block["run"]:
        _check_source(run, runs, f"{where}data.run is {block['run']}, ")


def _check_source(run, runs, where):
    """Refuse a run that cannot act for another one."""
    name = run["data"]["run"]
    others = [other for other in runs if other != run["name"]]
    if name not in others:
        raise Refused(f"{where}but takes another run of these: {', '.join(others) or 'none'}")
    source = runs[name]
    if source["import_trajectories"]:
        words = "whose recordings are imported, so nobody can act"
        raise Refused(f"{where}{words}; name these in data.files")
    missing = sorted(set(run["seeds"]) - set(source["seeds"]))
    if missing and not source["import_run"]:
        raise Refused(f"{where}which has no seed {missing[0]}; give both runs the same seeds")
    seen = [run["name"]]
    while name in runs:
        if name in seen:
            raise Refused(f"{where}which leads back to {name}; let one run begin")
        seen, name = [*seen, name], runs[name]["data"]["run"]


def check_world(run, tree, other, where):
    """Refuse a run `other` (its option tree) that acts in another world."""
    block = tasks.find(tree["task"]).block
    ours, theirs = tasks.options(tree), other["env"].get(block, {})
    wrong = ["task"] if tree["task"] != other["task"] else []
    wrong += [f"env.{block}.{name}" for name in ours if ours[name] != theirs.get(name)]
    if wrong:
        words = f"data.run is {run['data']['run']}, which acts in another world"
        raise Refused(f"{where}{words}; give both the same {wrong[0]}")
