"""Figures of an agent's evaluation: returns of all players, and differences of paired episodes."""

from pathlib import Path

import numpy as np

from analysis import style
from dreamer import trajectory
from jobs import cli, files

PLT = style.plt
RANDOM = "random"


def draw_returns(table, found, svg):
    """Every episode's return, with the mean and its interval; the collector's as lines."""
    parts = [(name, part) for name, part in table.groupby(["player", "mode"], sort=False)]
    figure, axis = PLT.subplots(figsize=(7.5, 0.55 * len(parts) + 1.4))
    rng = np.random.default_rng(0)
    lines = {item["score"]: item["value"] for item in found["summary"]}
    for place, ((name, mode), part) in enumerate(parts):
        label = name if name == RANDOM else f"{name}, {mode}"
        values, colour = part["return"], style.GREY if name == RANDOM else style.BLUE
        height = place + rng.uniform(-0.18, 0.18, len(part))
        axis.plot(values, height, ".", color=colour, alpha=0.3, markersize=5)
        ends = [lines[f"return, {label}: {end} end"] for end in ("lower", "upper")]
        if None not in ends:
            axis.plot(ends, [place, place], color=style.BLACK, linewidth=2.5)
        axis.plot(values.mean(), place, "D", color=style.ORANGE, markersize=6)
    for name, told in found["collected"].items():
        axis.axvline(told["return"], color=style.GREEN, linestyle=":", linewidth=1.2)
        axis.text(
            told["return"], -0.95, f"data: {name}", color=style.GREEN, fontsize=8, ha="center"
        )
    axis.set_yticks(
        range(len(parts)),
        [name if name == RANDOM else f"{name}, {mode}" for (name, mode), _ in parts],
    )
    axis.set(xlabel="return of an episode", ylim=(len(parts) - 0.5, -0.9))  # fmt: skip
    style.save(figure, svg)


def draw_paired(pairs, svg):
    """Mean difference of returns in the same episodes, with its interval."""
    if not pairs:
        return style.sentence(svg, "There is nobody to compare the agent with.")
    figure, axis = PLT.subplots(figsize=(7.5, 0.45 * len(pairs) + 1))
    for place, item in enumerate(pairs):
        if item["low"] is not None:
            axis.plot([item["low"], item["high"]], [place, place], color=style.BLACK, linewidth=2.5)
        axis.plot(item["mean"], place, "D", color=style.ORANGE, markersize=6)
    axis.axvline(0, **style.CHANCE)
    axis.set_yticks(range(len(pairs)), [f"{item['player']} − {item['minus']}" for item in pairs])
    axis.set(xlabel="difference of returns, same worlds and starts", ylim=(len(pairs) - 0.5, -0.5))
    style.save(figure, svg)


def draw_achievements(items, svg):
    """Share of episodes with each achievement, player beside player, with intervals."""
    if not items:
        return style.sentence(svg, "This world has no achievements.")
    names = sorted({item["achievement"] for item in items})
    labels = list(dict.fromkeys(_label(item) for item in items))
    figure, axis = PLT.subplots(figsize=(7.5, 0.12 * len(names) * len(labels) + 1.2))
    colours = dict(zip(labels, [style.BLUE, style.SKY, style.GREEN, style.ORANGE], strict=False))
    for label in labels:
        mine = [item for item in items if _label(item) == label]
        shift = 0.7 * (labels.index(label) / max(1, len(labels) - 1) - 0.5)
        places = np.array([names.index(item["achievement"]) for item in mine]) + shift
        colour = style.GREY if label == RANDOM else colours.get(label, style.BLACK)
        rates = np.array([[item[end] for end in ("low", "rate", "high")] for item in mine], float)
        axis.hlines(places, rates[:, 0], rates[:, 2], color=colour, linewidth=1.5)
        axis.plot(rates[:, 1], places, "o", color=colour, markersize=4, label=label)
    axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axis.set(xlabel="episodes with it (%)", xlim=(-2, 102), ylim=(len(names) - 0.5, -0.5))
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=8)
    style.save(figure, svg)


def _label(item):
    return item["player"] if item["player"] == RANDOM else f"{item['player']}, {item['mode']}"


def main(
    spec: Path,
    scores: Path,
    episodes: Path,
    evaluation_returns: Path,
    paired_returns: Path,
    evaluation_achievements: Path,
):
    """Draw the figures from scores and episodes alone."""
    cli.options(spec)
    found = files.read_json(scores)
    draw_returns(trajectory.read_log(episodes, "evaluation")[1], found, evaluation_returns)
    draw_paired(found["paired"], paired_returns)
    draw_achievements(found["achievements"], evaluation_achievements)


if __name__ == "__main__":
    cli.run(main)
