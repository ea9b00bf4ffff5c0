"""Did the agent learn? Scores of training episodes, unlocked achievements and losses."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis import score
from analysis.curves import TAIL, change, curve
from analysis.rows import row
from dreamer import trajectory
from jobs import cli, files

PREFIX = "achievement_"
WORLD_MODEL = ("rec", "rew", "con", "dyn", "rep")
FALLING = ("rec", "rew", "con")  # the other two start low: an untrained posterior says nothing
BUDGET = 1_000_000  # environment steps of the benchmark
NOT_YET = ["score of a random policy in this world: not yet computed"]


def all_curves(metrics, episodes, options):
    """All curves in long form: panel, curve, unit, step, value, smooth."""
    rewards, smoothing = episodes["score"].to_numpy(float), options["smoothing"]
    found = [
        ("episodes", "score", "reward per episode", rewards),
        ("episodes", "length", "steps", episodes["length"]),
        ("episodes", "cumulative reward", "reward", np.cumsum(rewards)),
    ]
    parts = [curve(*item[:3], episodes["step"], item[3], smoothing) for item in found]
    losses = [name for name in metrics if name.startswith("loss/")] if options["losses"] else []
    for name in losses:
        label = name.removeprefix("loss/")
        panel = "world model" if label in WORLD_MODEL else "behaviour"
        parts.append(
            curve(panel, label, "nats per step", metrics["step"], metrics[name], smoothing)
        )
    return pd.concat(parts, ignore_index=True)


def other_metrics(metrics, episodes, options):
    """Curves of all else that was logged: of updates, of the replay, by the environment."""
    if not options["losses"]:
        return []
    known = ("step", "updates", "env", "episode", "score", "length")
    return [
        curve("metrics", name, "", log["step"], log[name], options["smoothing"])
        for log in (metrics, episodes)
        for name in log
        if name not in known and not name.startswith(("loss/", PREFIX))
    ]


def summary(table, rates, deviations):
    """Rows of the report's table: the official score, the episode score, the losses."""
    rows = []
    if rates:
        chance = None if deviations else score.RANDOM_AGENT
        name = "not comparable with published agents" if deviations else "random agent, published"
        value = score.crafter_score(rates.values())
        label = "Crafter score on another task" if deviations else "official Crafter score"
        label = f"{label}, training episodes"
        rows.append(row(label, value, "%", "high", chance, name))
    for name, part in table.groupby("curve", sort=False):
        kind, ends = part["panel"].iloc[0], change(part)
        if name == "score":
            start = float(part["value"].iloc[: max(1, round(TAIL * len(part)))].mean())
            label = "episode score, last tenth of training"
            rows.append(row(label, ends["last"], "reward", "high", start, "first tenth"))
        elif kind == "world model":
            label = f"loss {name}, last tenth of training"
            start = (ends["first"], "first update logged") if name in FALLING else ()
            rows.append(row(label, ends["last"], "nats", "low", *start))
    return rows


def notes(episodes, rates, deviations, options, steps, imported=False):
    """Sentences on what these numbers can and cannot be compared with."""
    yield (
        f"Thick lines are running means over {options['smoothing']:.0%} of a curve's points, thin "
        "ones the values. What stands as chance beside a loss or an episode score is its own "
        "value at the start of training."
    )
    if options["losses"]:
        yield (
            "The losses dyn and rep measure how much an image tells that was not foreseen: they "
            "start low because an untrained belief says nothing, and need not fall."
        )
    if not len(episodes) and imported:
        yield "The run was imported without the scores of its training episodes."
    elif not len(episodes):
        yield "No training episode ended, so there is no score."
    if rates and deviations:
        yield (
            "The Crafter score here is that of another task than the published benchmark: "
            f"{'; '.join(deviations)}. Do not compare it with published scores."
        )
    elif rates and steps < BUDGET:
        yield f"The benchmark gives an agent {BUDGET:,} steps; this one had {steps:,}."


def main(spec: Path, metrics: Path, episodes: Path, scores: Path, curves: Path):
    """Turn the training logs into curves and scores."""
    options = cli.options(spec)
    header, log = trajectory.read_log(metrics, "metrics")
    imported = header.get("imported", False)
    _, ended = trajectory.read_log(episodes, "episodes")
    counts = {name.removeprefix(PREFIX): ended[name] for name in ended if name.startswith(PREFIX)}
    rates = score.unlock_rates(counts) if len(ended) and options["achievements"] else {}
    found, deviations = all_curves(log, ended, options), score.deviations(header["options"])
    steps, losses = int(log["step"].max()) if len(log) else 0, found[found["panel"] != "episodes"]
    whole = pd.concat([found, *other_metrics(log, ended, options)], ignore_index=True)
    columns = {name: whole[name].to_numpy() for name in whole}
    trajectory.write_log(curves, "training_curves", {"smoothing": options["smoothing"]}, columns)
    files.write_json(
        scores,
        {
            "summary": summary(found, rates, deviations),
            "notes": list(notes(ended, rates, deviations, options, steps, imported)),
            "not_yet": NOT_YET,
            "unlock_rates": rates,
            "episodes": len(ended),
            "deviations": deviations,
            "losses": {name: change(part) for name, part in losses.groupby("curve", sort=False)},
        },
    )


if __name__ == "__main__":
    cli.run(main)
