"""The option trees of the runs of a configuration, and which modules they name."""

from dreamer import checks as option_checks
from dreamer import family, tasks
from dreamer import foreign as foreign_options
from dreamer import options as agent_options
from jobs import checks, foreign, offline, stages
from jobs.errors import Refused
from jobs.stages import STAGES

_trees = {}


def tree(run, seed):
    """The resolved option tree of a run of the configuration, for one seed."""
    if run["import_run"]:
        found = foreign.run(run["import_run"], run["checkpoint"])
        return foreign_options.tree(found.config)
    overrides = {"agent": run["agent"], **run["options"], "seed": int(seed)}
    key = repr((run["configs"], sorted(overrides.items())))
    if key not in _trees:  # every job of a run asks for it several times
        _trees[key] = agent_options.resolve(run["configs"], overrides)
    return _trees[key]


def modules(stage, run, config):
    """Modules whose closures decide what a stage computes."""
    item = STAGES[stage]
    if not item.agent:
        return [item.module]
    found = named(tree(run, 0))
    for other in config["runs"]:
        if other["name"] == run["data"]["run"]:
            found["data"] = named(tree(other, 0))["agent"]
    own = tasks.find(tree(run, 0)["task"]).modules() if "task" in item.code else ()
    return sorted({item.module, *own, *(found[name] for name in item.code if name in found)})


def named(found):
    """{option: module} of the agent and of the task of an option tree."""
    return {"agent": family.module(found["agent"]), "task": tasks.find(found["task"]).module}


def check(run, config):
    """Refuse of a run of the configuration what the commands would refuse hours later."""
    where = f"in the configuration, run {run['name']}: "
    checks.begin(run, where)
    offline.check(run, {item["name"]: item for item in config["runs"]}, where)
    try:
        found = tree(run, 0)
        checks.modules(found, named(found))
        if "train" in stages.of(run):
            option_checks.check(found)
        if "tokenizer" in stages.of(run):
            option_checks.check_offline(found)
        if run["import_trajectories"]:
            foreign.recordings(run["import_trajectories"])
    except Refused as error:
        raise Refused(where + str(error)) from None
    if "record" in stages.of(run):
        known = tasks.options(found)
        checks.world(found["task"], known, config["record"], config["dreams"], where)
    for other in config["runs"]:
        if other["name"] == run["data"]["run"]:
            offline.check_world(run, found, tree(other, 0), where)
