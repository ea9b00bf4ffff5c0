"""What did the agent do while it was recorded: where did it go, for how long, with what success?

In the shapes, T is steps, E episodes, W x H the world in tiles.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis import coverage, score
from analysis.rows import row
from dreamer import trajectory as recordings
from jobs import cli, files

COLUMNS = ("episode", "step", "x", "y")
PREFIX = "achievement_"
WALK = "random walk from the same starts, as many steps"
NOT_YET = ["episode length and return of a random policy: not yet computed"]


def episodes(table):
    """One row per episode: length in environment steps, and return where rewards were recorded."""
    groups = table.groupby("episode")
    found = pd.DataFrame({"length": groups["step"].max()})
    return found.assign(**{"return": groups["reward"].sum()}) if "reward" in table else found


def worlds(recording, header):
    """[(walkable [W, H], episodes)]: episodes on equal ground together; none without terrain."""
    if not recordings.has(recording, "terrain", "terrain_changed") or "walkable" not in header:
        return []
    found = {}
    for episode, (terrain, _) in recordings.terrain(recording).items():
        found.setdefault(terrain.tobytes(), (terrain, []))[1].append(episode)
    return [(np.isin(grid, header["walkable"]), members) for grid, members in found.values()]


def wandering(table, grounds, walks, seed):
    """{agent, walk, uniform: {coverage, divergence}} and counts of tiles and steps off the ground.

    Over several worlds: tiles are pooled for the coverage, and the divergence is the mean over
    worlds weighted by steps.
    """
    rng, parts = np.random.default_rng(seed), []
    for walkable, members in grounds:
        rows = table[table["episode"].isin(members)]
        place = rows[["x", "y"]].to_numpy(int)
        starts = place[(rows["step"] == 0).to_numpy()]
        lengths = rows.groupby("episode").size().to_numpy()
        mask = coverage.reachable(walkable, starts)
        visits = np.zeros(mask.shape, int)
        np.add.at(visits, tuple(place.T), 1)
        tiles = int(mask.sum())
        visited = {
            "agent": visits[mask][None],
            "walk": coverage.random_walk(mask, starts, lengths, walks, rng),
            "uniform": coverage.uniform(len(rows), tiles, walks, rng),
        }
        parts.append({"tiles": tiles, "steps": len(rows), "off": int(visits[~mask].sum())})
        parts[-1] |= {name: _measures(item) for name, item in visited.items()}
    tiles, steps = ([part[name] for part in parts] for name in ("tiles", "steps"))
    pooled = {
        name: {
            "coverage": np.average([part[name][0] for part in parts], weights=tiles),
            "divergence": np.average([part[name][1] for part in parts], weights=steps),
        }
        for name in visited
    }
    off = sum(part["off"] for part in parts)
    return pooled | {"tiles": sum(tiles), "steps": sum(steps), "off": off, "worlds": len(parts)}


def summary(ended, ground):
    """Rows of the report's table."""
    rows = []
    if ground:
        agent, walk = ground["agent"], ground["walk"]
        share, even = "share of reachable walkable tiles visited", "occupancy, KL from uniform"
        rows = [
            row(share, agent["coverage"], "share", "high", walk["coverage"], WALK),
            row(even, agent["divergence"], "bits", "low", walk["divergence"], WALK),
        ]
    units = {"length": "steps", "return": "reward"}
    means = ended.mean().to_dict()
    return rows + [
        row(f"mean episode {name}", value, units[name], "high") for name, value in means.items()
    ]


def notes(ground, ended, steps, placed=True):
    """Sentences on what the chance levels mean and what is missing."""
    if "return" not in ended:
        yield "The recording holds no rewards, so there is no return."
    if not placed:
        yield "The recording has no positions, so it cannot be told where the agent went."
        return
    if not ground:
        yield "The recording holds no terrain, so the share of tiles visited cannot be told."
        return
    even = ground["uniform"]
    yield (
        f"Coverage counts the {ground['tiles']} walkable tiles that can be reached on foot from "
        "the starts. The random walk moves at every step, which agents that craft and wait do not. "
        f"As many steps on uniformly drawn tiles would cover {even['coverage']:.0%}, at "
        f"{even['divergence']:.2f} bits from uniform: the floor for a sample of this size."
    )
    if ground["worlds"] > 1:
        yield f"The episodes play {ground['worlds']} worlds; coverage pools their tiles."
    if ground["off"]:
        yield (
            f"{ground['off']} of {steps:,} steps are on tiles that were not walkable at reset or "
            "not reachable then: the agent dug its way there. They are left out of both measures."
        )


def left_out(header, kept):
    """A sentence where played episodes were not recorded, because they equal others."""
    count = header.get("played", kept) - kept
    if count:
        yield (
            f"{count} of {header['played']} played episodes equal others in path, actions and "
            "observations and were left out, so short episodes are rarer here than they were."
        )


def _measures(visits):
    return float(coverage.covered(visits).mean()), float(coverage.divergence(visits).mean())


def main(spec: Path, trajectory: Path, scores: Path):
    """Measure where the agent went and how its episodes ended."""
    options, header = cli.options(spec), recordings.header(trajectory)
    names = [f"{PREFIX}{name}" for name in header["achievements"]]
    known = [name for name in (*COLUMNS, "reward") if recordings.has(trajectory, name)]
    table = pd.DataFrame(recordings.read(trajectory, [*known, *names]))
    ended, placed = episodes(table), "x" in known and "y" in known
    grounds = worlds(trajectory, header) if placed else []
    ground = wandering(table, grounds, options["walks"], options["seed"]) if grounds else None
    most = table.groupby("episode")[names].max()
    counts = {name.removeprefix(PREFIX): most[name] for name in names}
    files.write_json(
        scores,
        {
            "summary": summary(ended, ground),
            "notes": [
                *notes(ground, ended, len(table), placed),
                *left_out(header, len(ended)),
            ],
            "not_yet": NOT_YET,
            "ground": ground,
            "episodes": ended.reset_index().to_dict("list"),
            "unlock_rates": score.unlock_rates(counts),
        },
    )


if __name__ == "__main__":
    cli.run(main)
