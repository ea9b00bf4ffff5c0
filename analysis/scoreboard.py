"""How well does each run play its task? One table over tasks and seeds, and the learning curves."""

from pathlib import Path

import pandas as pd

from analysis import gathered, seeds
from jobs import cli, files

NORMALISED = "human-normalised return, agent, sampled"
SCORES = {  # score of a run: what the table calls it
    "episode score, last tenth of training": "training, last tenth",
    "official Crafter score, training episodes": "Crafter score of the training",
    "return, agent, sampled": "evaluated, sampled",
    "return, agent, argmax": "evaluated, argmax",
    "Crafter score, agent, sampled": "Crafter score, evaluated",
    NORMALISED: "human-normalised",
}
RANDOM = "random actions"
COLUMNS = ["task", "run", "score", "unit", "seeds", "mean", "low", "high", "chance"]


def board(table, tasks, draws):
    """One row per task, run and score: mean over seeds, its interval, what random actions reach.

    `tasks` {run: task}, in the order of the rows.
    """
    means = seeds.intervals(table[table["score"].isin(SCORES)], *draws)
    means = means.assign(task=means["run"].map(tasks), score=means["score"].map(SCORES))
    means["chance"] = means["chance"].where(means["chance_name"] == RANDOM)
    means["order"] = means["score"].map({name: n for n, name in enumerate(SCORES.values())})
    places = {run: place for place, run in enumerate(tasks)}
    means = means.sort_values(["run", "order"], key=lambda column: column.replace(places))
    return means[COLUMNS].reset_index(drop=True)


def overall(found):
    """{mean, median} of the human-normalised score over two tasks or more; {} without."""
    mine = found[found["score"] == SCORES[NORMALISED]].groupby("task")["mean"].mean()
    return {"mean": mine.mean(), "median": mine.median()} if len(mine) > 1 else {}


def page(found):
    """The table as Markdown: a row per run, a column per score."""
    scores = list(dict.fromkeys(found["score"]))
    lines = ["| task | run | seeds | " + " | ".join([*scores, RANDOM]) + " |"]
    lines.append("|---" * (len(scores) + 4) + "|")
    for (task, run), part in found.groupby(["task", "run"], sort=False):
        named = part.set_index("score")
        cells = [_cell(named.loc[score]) if score in named.index else "–" for score in scores]
        chance = part["chance"].dropna()
        cells.append(f"{chance.iloc[0]:.4g}" if len(chance) else "–")
        lines.append(f"| {task} | {run} | {part['seeds'].max()} | " + " | ".join(cells) + " |")
    ends = " and ".join(f"{name} {value:.4g}%" for name, value in overall(found).items())
    told = [f"Human-normalised over tasks: {ends}."] if ends else []
    few = [seeds.NONE] if found["low"].isna().any() else []
    return "\n".join([*lines, "", "In brackets: 95% intervals over seeds.", *few, *told]) + "\n"


def _cell(row):
    between = "" if pd.isna(row["low"]) else f" [{row['low']:.4g}, {row['high']:.4g}]"
    unit = "%" if row["unit"] == "%" else ""
    return f"{row['mean']:.4g}{unit}{between}"


def main(
    spec: Path,
    scores: list[Path],
    table: Path,
    csv: Path,
    markdown: Path,
    learning: Path,
    curves: list[Path] = (),
):
    """Join the scores of trainings and evaluations (JSON) and the curves of all runs and seeds."""
    options = cli.options(spec)
    draws = options["bootstrap_draws"], options["bootstrap_seed"]
    tasks = {run: options["tasks"][run] for run in options["runs"]}
    found = board(gathered.scores(scores), tasks, draws)
    gathered.write(table, found, csv)
    gathered.write(learning, gathered.curves(curves, *draws))
    with files.atomic(markdown) as temporary:
        temporary.write_text(page(found))


if __name__ == "__main__":
    cli.run(main)
