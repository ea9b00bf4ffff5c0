"""How well does an agent play? Episodes of it, of other agents and of chance in the same worlds.

The same seeds give the same numbers, and every player meets the same worlds and starts.
"""

from pathlib import Path

import numpy as np

from dreamer import checkpoint as saved
from dreamer import platform, players, stages, tasks, trajectory
from dreamer.played import paired, summary
from jobs import cli, files
from jobs.errors import Refused


def main(
    checkpoint: list[Path],
    scores: Path,
    episodes: Path,
    dataset: Path | None = None,
    spec: Path | None = None,
    overrides: dict | None = None,
):
    """Play --checkpoint AGENT [PARENT ...] and chance; write --scores and --episodes.

    Each agent plays with sampled and with most probable actions. The first one is compared with
    every other, episode by episode, and with who played the --dataset it learned from. Options come
    from --spec, or by hand from flags such as --evaluation.episodes 10.
    """
    options = stages.options("evaluation", spec, overrides)
    _check(options)
    platform.choose(options["platform"])
    agents = _agents(checkpoint)
    first = next(iter(agents.values()))
    found = [players.Player(name, agent, sample)
             for name, agent in agents.items() for sample in (True, False)]  # fmt: skip
    found.append(players.Player(players.RANDOM))
    rows = play(found, first, options)
    inputs = {f"checkpoint{number}": path for number, path in enumerate(checkpoint)}
    inputs |= {"dataset": dataset} if dataset else {}
    achievements = first.header["world"]["achievements"]
    about = {
        "options": options,
        "agent": stages.agent_header(first),
        "players": {name: _who(agent) for name, agent in agents.items()},
        "achievements": achievements,
        "provenance": stages.provenance(
            ["dreamer.evaluate", *tasks.find(first.options["task"]).modules()], first, spec,
            **inputs),
    }  # fmt: skip
    trajectory.write_log(episodes, "evaluation", about, columns(rows, achievements))
    collected = _collected(dataset)
    files.write_json(
        scores,
        {
            "summary": summary(rows, found, achievements, collected),
            "paired": paired(rows, found),
            "collected": collected,
            "notes": list(_notes(options, first, dataset, len(agents))),
            "not_yet": [],
        },
    )
    return {"device": platform.describe()}


def play(found, first, options):
    """[{player, mode, seed, episode, return, length, died, achievements}] of all players."""
    rows, tree = [], first.options
    total = len(found) * len(options["seeds"]) * options["episodes"]
    fixed = tasks.options(tree).get("fixed_seed")
    with stages.Progress("evaluating", total, "episodes", "steps") as progress:
        for player in found:
            for seed in options["seeds"]:
                world = first.header["seed"] if fixed else seed
                game = players.play(player, tree, world, seed, options["episodes"], options["envs"])
                lines = _finish(game, progress, len(rows))
                mode = players.MODES[player.sample]
                rows += [{"player": player.name, "mode": mode, "seed": seed, "episode": number}
                         | line for number, line in enumerate(lines)]  # fmt: skip
    return rows


def _finish(game, progress, done):
    """What a generator returns, telling the progress."""
    while True:
        try:
            finished, steps = next(game)
        except StopIteration as end:
            return end.value
        done += finished
        progress.update(done, steps)


def columns(rows, achievements):
    """{column: values}, one row per episode."""
    names = ("player", "mode", "seed", "episode", "return", "length", "died")
    found = {name: [row[name] for row in rows] for name in names}
    for place, name in enumerate(achievements):
        found[f"achievement_{name}"] = [
            row["achievements"][place] if row["achievements"] else None for row in rows
        ]
    return found


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


def _notes(options, first, dataset, count):
    """What a reader must know."""
    games = options["episodes"] * len(options["seeds"])
    yield (
        f"{games} episodes per player, in the worlds and from the starts of seeds "
        f"{', '.join(map(str, options['seeds']))}, the same ones for all. Intervals are "
        "bootstrapped over episodes: they say how sure the mean of this one agent is, not how "
        "other trainings would end."
    )
    if tasks.options(first.options).get("fixed_seed"):
        yield "The world is the one of the training; only starts are new."
    if count < 2:
        yield "No parent was given, so nothing is paired with one."
    if dataset:
        yield "The returns of the data set are of other episodes, as recorded there."


def _check(options):
    for name in ("episodes", "envs"):
        if options[name] < 1:
            raise Refused(f"option evaluation.{name} is {options[name]}, but must be above zero")
    if not options["seeds"] or len(set(options["seeds"])) < len(options["seeds"]):
        raise Refused(f"option evaluation.seeds is {options['seeds']}, but takes different seeds")


if __name__ == "__main__":
    cli.run(main)
