"""An evaluation in words."""

import math

from dreamer import atari_scores, played, players, tasks
from dreamer.scores import SEEDS


def notes(options, first, dataset, count, video=None):
    """What a reader must know."""
    games, several = options["episodes"] * len(options["seeds"]), len(options["seeds"])
    over = "seeds" if several >= SEEDS else "episodes"
    yield (
        f"{games} episodes per player, in the worlds and from the starts of seeds "
        f"{', '.join(map(str, options['seeds']))}, the same ones for all. Intervals are 95% "
        f"bootstrapped over {over}: they say how sure the mean of this one agent is, not how "
        "other trainings would end."
    )
    if first.options["task"] == "crafter":
        yield (
            "The Crafter score is the benchmark's formula on these episodes; the benchmark counts "
            "those of the training, over a million steps."
        )
    if atari_scores.normalised(first.options["task"], 0.0) is not None:
        yield (
            "Human-normalised: 0% is random play and 100% a human tester, both as published (Wang "
            "et al. 2016)."
        )
    if tasks.options(first.options).get("fixed_seed"):
        yield "The world is the one of the training; only starts are new."
    if first.header["seed"] in options["seeds"] and first.header.get("phase") is None:
        yield (
            f"Seed {first.header['seed']} is that of the training: its episodes are the first ones "
            "the agent learned from, not new ones."
        )
    if count < 2 and dataset:
        yield "No parent was given, so nothing is paired with one."
    if video and not players.pictures(first):
        yield "The agent sees no image, so there is no video."
    if dataset:
        yield "The returns of the data set are of other episodes, as recorded there."


def say(told):
    """Print the numbers, each with its interval, and the notes."""
    for item in told["summary"]:
        ends = told["intervals"].get(item["score"], ())
        if not item["score"].endswith(tuple(played.ENDS.values())):
            print(f"{item['score']}: {item['value']:.4g} {item['unit']}{_between(ends)}")
    for item in told["achievements"]:
        mode = "" if item["player"] == players.RANDOM else f", {item['mode']}"
        name = f"{item['achievement']}, {item['player']}{mode}"
        print(f"{name}: {item['rate']:.4g} %{_between([item['low'], item['high']])}")
    print("\n".join(told["notes"]))


def _between(ends):
    """The ends of an interval in words, where it has some."""
    known = len(ends) == 2 and not any(math.isnan(end) for end in ends)
    return f"  [{ends[0]:.4g}, {ends[1]:.4g}]" if known else ""
