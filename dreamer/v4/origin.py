"""What a phase begins with: the parameters of the phase before, and whether data fit to them."""

from dreamer import checkpoint, options, tasks, trajectory
from jobs.errors import Refused

BESIDE = ("enc", "dec")  # options that the tokenizer's block goes with
PARAMETERS = {"tok": ("tok/", "scale/"), "dyn": ("dyn/",), "head": ("head/", "prior/")}


def about(phase, asked):
    """{spaces, world, updates} of the data set, after checking it and --start against each other.

    `updates` are those of all phases before.
    """
    data = trajectory.header(asked.inputs["dataset"], "dataset")
    task = asked.options["task"]
    if data.get("task") not in (None, task):
        raise Refused(
            f"{asked.inputs['dataset']} is of task {data['task']}, but option task is {task}"
        )
    _check_home(asked, data)
    found = {"spaces": data["spaces"], "world": data["world"], "updates": 0}
    if asked.inputs["test"]:
        _check_data(asked.inputs["test"], trajectory.header(asked.inputs["test"], "dataset"),
                    found, asked.inputs["dataset"])  # fmt: skip
    if asked.inputs["start"]:
        header, _ = checkpoint.load(asked.inputs["start"])
        _check_start(phase, asked, header)
        _check_data(asked.inputs["dataset"], data, header, asked.inputs["start"])
        found["updates"] = header["updates"]
    return found


def _check_home(asked, data):
    """Refuse data of a fixed world that is not the one where the agent will be recorded."""
    world, seed = tasks.options(data) if data.get("env") else {}, asked.options["seed"]
    if world.get("fixed_seed") and data.get("seed") not in (None, seed):
        raise Refused(
            f"{asked.inputs['dataset']} is of the fixed world of seed {data['seed']}, but option "
            f"seed is {seed}, in whose world the agent would be recorded; give the same seed"
        )


def values(phase, asked, fresh):
    """All parameters {name: array}: those that earlier phases trained, the others fresh."""
    path = asked.inputs["start"]
    first = not phase.after and asked.options["run"]["from_checkpoint"]
    if not path and not first:
        return fresh
    parts = sum((PARAMETERS[block] for block in phase.brings or ("tok",)), ())
    wanted, known = (
        {name: value for name, value in values.items() if name.startswith(parts)}
        for values in (fresh, checkpoint.load(path or first)[1])
    )
    checkpoint.check(wanted, known, path or first)
    return fresh | known


def _check_start(phase, asked, header):
    """Refuse a checkpoint of another agent or phase, or of other options of what it brings."""
    path, agent = asked.inputs["start"], asked.options["agent"]
    if header["agent"] != agent or header.get("phase") != phase.after:
        raise Refused(
            f"{path} is of phase '{header.get('phase')}' of agent {header['agent']}, but --start "
            f"takes phase '{phase.after}' of agent {agent}"
        )
    wanted, found = ({name: tree[name] for name in (*phase.brings, *BESIDE)}
                     for tree in (asked.options, header["options"]))  # fmt: skip
    wanted, found = options.flatten(wanted), options.flatten(found)
    changed = [name for name in sorted(wanted) if found.get(name) != wanted[name]]
    if changed:
        words = ", ".join(f"{name} {found.get(name)} -> {wanted[name]}" for name in changed[:6])
        raise Refused(
            f"{path} was trained with other options ({words}); give the same ones, or train it "
            "again"
        )


def _check_data(path, data, other, source):
    """Refuse data whose actions or images are not those of `other`, read from `source`."""
    ours, theirs = data["spaces"], other["spaces"]
    names = [item["world"].get("actions") for item in (data, other)]
    for what, one, two in (
        ("actions", ours["action"], theirs["action"]),
        ("images", ours["observation"].get("image"), theirs["observation"].get("image")),
        ("action names", *names),
    ):
        if one != two:
            raise Refused(f"{path} does not fit {source}: its {what} are {one}, not {two}")
