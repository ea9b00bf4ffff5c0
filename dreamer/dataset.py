"""Write a data set: episodes from which agents learn offline, and others that they never see."""

from pathlib import Path

from dreamer import checkpoint as saved
from dreamer import collect, family, options, platform, recorder, spaces, stages, tasks, trajectory
from dreamer import dataset_files as reading
from dreamer import policies as who
from dreamer.columns import DATASET
from dreamer.envs import vector
from jobs import cli, closure, specs
from jobs.errors import Refused
from jobs.files import sha256


def main(
    dataset: Path,
    test: Path | None = None,
    work: Path | None = None,
    spec: Path | None = None,
    checkpoints: list[Path] | None = None,
    files: list[Path] | None = None,
    policies: list[str] | None = None,
    configs: list[str] | None = None,
    npz: Path | None = None,
    overrides: dict | None = None,
):
    """Write --dataset FILE, and episodes for testing to --test FILE.

    Episodes are played by --policies (agent, random, scripted), agent being each of --checkpoints;
    or they come from --files: recordings, data sets and .npz files. By hand the world comes from
    --configs and dotted flags, the rest from flags such as --data.episodes 100. --npz FILE also
    exports the data set. A second start plays only the episodes that are missing.
    """
    asked = _asked(spec, policies, configs, overrides, checkpoints, files)
    if checkpoints:
        platform.choose(asked["data"]["platform"])
    agents = {path: saved.restore(path) for path in checkpoints or ()}
    made = _provenance(spec, asked, agents, [*agents, *(files or ())])
    if files:
        reading.write(files, dataset, test, asked["data"], made)
    else:
        _play(agents, asked, made, (dataset, test), work)
    if npz:
        reading.export(dataset, npz)
    return {"device": platform.describe()} if agents else {}


def _asked(spec, policies, configs, overrides, checkpoints, files):
    """{data: options of the stage, policies: [names], world: {task, env, seed}}."""
    given = {"policies": policies, "configs": configs, **(overrides or {})}
    given = [name for name, value in given.items() if value]
    if spec and given:
        raise Refused(f"{spec} holds every option, so leave out --{given[0]}")
    if files and (checkpoints or policies):
        raise Refused("--files goes with neither --checkpoints nor --policies; keep one")
    if spec:
        return specs.read(spec)["options"]
    mine = {name: item for name, item in (overrides or {}).items() if name.startswith("data.")}
    rest = {name: item for name, item in (overrides or {}).items() if name not in mine}
    tree = options.resolve(configs or (), rest)
    if checkpoints and not configs and not rest:
        tree = saved.load(checkpoints[0])[0]["options"]
    return {
        "data": options.stage("data", mine),
        "policies": policies or (["agent"] if checkpoints else [] if files else ["random"]),
        "world": tasks.world(tree),
    }


def _play(agents, asked, made, paths, work):
    """Play every source and put its episodes together."""
    (dataset, test), data, tree = paths, asked["data"], asked["world"]
    found = who.sources(list(agents.values()), asked["policies"], data, tree, bool(test))
    header = _header(agents, asked, made, found)
    total = sum(source.train + source.test for source in found)
    parts = recorder.Parts(work or dataset.with_name(f"{dataset.stem}.work"), header, total)
    done = total - len(parts.missing())
    with stages.Progress("playing", total, "episodes", "steps") as progress:
        for source in found:
            for finished, steps in collect.play(source, parts, tree, data):
                done += finished
                progress.update(done, steps)
    _publish(parts, found, dataset, test)
    recorder.remove(parts.folder.parent)


def _publish(parts, found, dataset, test):
    """Join the episodes to train on and those to test on."""
    paths = [parts.path(source.first + item) for source in found for item in range(source.train)]
    trajectory.join(dataset, parts.header | {"split": "train"}, paths)
    if test:
        paths = [parts.path(source.first + source.train + item)
                 for source in found for item in range(source.test)]  # fmt: skip
        trajectory.join(test, parts.header | {"split": "test"}, paths)


def _header(agents, asked, made, found):
    """What all episodes share."""
    tree = asked["world"]
    for path, agent in agents.items():
        if tasks.world(agent.options) | {"seed": tree["seed"]} != tree:
            raise Refused(
                f"{path} was trained in another world than that of the data set; leave out "
                "--configs and options of it, or give a checkpoint of the same world"
            )
    with vector.build(tree["task"], tasks.options(tree), 0, 0, 0) as env:
        facts, seen = env.world, spaces.of(env.observation_space, env.action_space)
    if seen.action.classes and seen.action.shape:
        raise Refused(
            f"an action of {tree['task']} is several choices at once, but data sets hold one "
            "choice or numbers"
        )
    image = tuple(item for item in seen.observation if item[0] == "image")
    if not image:
        raise Refused(f"the environment {tree['task']} shows no image, so there is nothing to keep")
    stamps = iter(made["inputs"])
    return {
        "kind": "dataset",
        "layers": {},
        "absent": sorted(set(facts["absent"]) & set(DATASET)),
        "action_width": 0 if seen.action.classes else seen.action.shape[0],
        "spaces": spaces.to_json(spaces.Spaces(image, seen.action)),
        "world": facts,
        **tree,
        "options": asked["data"],
        "policies": [
            {"name": item.name, "seed": item.seed, "world": item.world}
            | (
                {"checkpoint": next(stamps), **stages.agent_header(item.agent)}
                if item.agent
                else {}
            )
            for item in found
        ],
        "provenance": made,
    }


def _provenance(spec, asked, agents, inputs):
    """Hashes of spec, code and inputs, and versions."""
    found = specs.read(spec) if spec else None
    modules = {family.module(agent.header["agent"]) for agent in agents.values()}
    modules |= set() if asked["policies"] == [] else {*tasks.find(asked["world"]["task"]).modules()}
    return {
        "spec": specs.name(found) if spec else None,
        "code": found["code"] if spec else closure.digest("dreamer.dataset", *sorted(modules)),
        "inputs": [sha256(path) for path in inputs],
        "versions": stages.versions(),
    }


if __name__ == "__main__":
    cli.run(main)
