"""How well does an agent play? Episodes of it, of other agents and of chance in the same worlds.

The same seeds give the same numbers, and every player meets the same worlds and starts.
"""

from pathlib import Path

import numpy as np

from dreamer import checkpoint as saved
from dreamer import (
    evaluated,
    flags,
    platform,
    played,
    players,
    rounds,
    stages,
    tasks,
    trajectory,
)
from jobs import cli, files, mp4
from jobs.errors import Refused


def main(
    checkpoint: list[Path],
    /,
    scores: Path | None = None,
    table: Path | None = None,
    dataset: Path | None = None,
    spec: Path | None = None,
    episodes: int | None = None,
    seeds: list[int] | None = None,
    video: Path | None = None,
    film: Path | None = None,
    overrides: dict | None = None,
):
    """Play CHECKPOINT [PARENT ...] and chance: returns, lengths, achievements, with intervals.

    Each agent plays with sampled and with most probable actions. The first one is compared with
    every other, episode by episode, and with who played the --dataset it learned from. Options come
    from --spec, or by hand from --episodes 10, --seeds 5 1024 42 and flags such as
    --evaluation.envs 4. --video DIR receives the first episodes, --film (GIF) the very first,
    --scores (JSON) and --table (Parquet) all numbers.
    """
    options = _options(spec, {"episodes": episodes, "seeds": seeds}, overrides)
    _check(options)
    if video:
        mp4.check("--video")
    platform.choose(options["platform"])
    agents = _agents(checkpoint)
    first = next(iter(agents.values()))
    found = [players.Player(name, agent, sample)
             for name, agent in agents.items() for sample in (True, False)]  # fmt: skip
    found.append(players.Player(players.RANDOM))
    rows = rounds.play(found, first, options, video, film)
    collected, task = _collected(dataset), first.options["task"]
    achievements = first.header["world"]["achievements"]
    told = {
        "summary": played.summary(rows, found, achievements, collected, task),
        "intervals": played.intervals(rows, found, achievements, task),
        "paired": played.paired(rows, found),
        "achievements": played.unlocked(rows, found, achievements),
        "collected": collected,
        "notes": list(evaluated.notes(options, first, dataset, len(agents), video or film)),
        "not_yet": [],
    }
    if table:
        inputs = {f"checkpoint{number}": path for number, path in enumerate(checkpoint)}
        inputs |= {"dataset": dataset} if dataset else {}
        about = _about(options, agents, spec, inputs)
        trajectory.write_log(table, "evaluation", about, rounds.columns(rows, achievements))
    if scores:
        files.write_json(scores, told)
    if not spec:
        evaluated.say(told)
    return {"device": platform.describe()}


def _options(spec, short, overrides):
    """Options of the stage; `short` are flags for some of them."""
    if spec:
        flags.leave_out(f"{spec} holds every option", short)
    given = {f"evaluation.{name}": value for name, value in short.items() if value is not None}
    return stages.options("evaluation", spec, {**given, **(overrides or {})})


def _about(options, agents, spec, inputs):
    """The header of the table of episodes."""
    first = next(iter(agents.values()))
    modules = ["dreamer.evaluate", *tasks.find(first.options["task"]).modules()]
    return {
        "options": options,
        "agent": stages.agent_header(first),
        "players": {name: _who(agent) for name, agent in agents.items()},
        "achievements": first.header["world"]["achievements"],
        "provenance": stages.provenance(modules, first, spec, **inputs),
    }


def _agents(paths):
    """{name: agent}: `agent`, then others by their phase; they must play the same game."""
    found = {}
    for path in paths:
        agent, name = saved.restore(path), "agent"
        if found:
            phase = agent.header.get("phase")
            name = {"finetune": "cloned"}.get(phase, phase) or f"agent {len(found) + 1}"
            name = name if name not in found else f"{name} {len(found) + 1}"
            _check_same(agent, next(iter(found.values())), path, paths[0])
        found[name] = agent
    return found


def _check_same(agent, first, path, other):
    same = [item.options["task"] for item in (agent, first)]
    worlds = [dict(tasks.options(item.options)) for item in (agent, first)]
    for world, item in zip(worlds, (agent, first), strict=True):
        if world.get("fixed_seed"):
            world["seed"] = item.header["seed"]
    if same[0] != same[1] or worlds[0] != worlds[1]:
        raise Refused(
            f"{path} and {other} were trained in different worlds, so their episodes cannot be "
            "paired; evaluate each by itself"
        )


def _who(agent):
    return {"phase": agent.header.get("phase"), **stages.agent_header(agent)}


def _collected(dataset):
    """{policy: {return, episodes}} of who played the data set."""
    if dataset is None:
        return {}
    names = [item["name"] for item in trajectory.header(dataset, "dataset").get("policies", [])]
    read = trajectory.read(dataset, ["reward", "is_first", "policy"], "dataset")
    start = np.flatnonzero(read["is_first"])
    returns = np.add.reduceat(read["reward"].astype(float), start)
    policy, found = read["policy"][start], {}
    for place in np.unique(policy):
        label = names[place] if place < len(names) else f"policy {place}"
        label = label if names.count(label) < 2 else f"{label} {place + 1}"
        mine = returns[policy == place]
        found[label] = {"return": float(mine.mean()), "episodes": len(mine)}
    return found


def _check(options):
    for name in ("episodes", "envs"):
        if options[name] < 1:
            raise Refused(f"option evaluation.{name} is {options[name]}, but must be above zero")
    if not options["seeds"] or len(set(options["seeds"])) < len(options["seeds"]):
        raise Refused(f"option evaluation.seeds is {options['seeds']}, but takes different seeds")
    if min(options["seeds"]) < 0:
        raise Refused(f"option evaluation.seeds is {options['seeds']}, but takes zero and above")


if __name__ == "__main__":
    cli.run(main)
