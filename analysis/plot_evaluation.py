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


def main(spec: Path, scores: Path, episodes: Path, evaluation_returns: Path, paired_returns: Path):
    """Draw the figures from scores and episodes alone."""
    cli.options(spec)
    found = files.read_json(scores)
    draw_returns(trajectory.read_log(episodes, "evaluation")[1], found, evaluation_returns)
    draw_paired(found["paired"], paired_returns)


if __name__ == "__main__":
    cli.run(main)
