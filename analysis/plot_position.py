"""Where decoders put the agent: paths, maps of probability, and where they fail."""

from pathlib import Path

import numpy as np

from analysis import ground_map, style
from dreamer import trajectory as contract
from jobs import cli, files

PLT = style.plt
COLOURS = {"ridge": style.BLUE, "robust": style.ORANGE}
EMPTY = "No step was decoded, so there is nothing to draw."


def main(
    spec: Path,
    scores: Path,
    steps: Path,
    trajectory: Path,
    test: Path,
    decoded_path: Path | None = None,
    position_over_time: Path | None = None,
    probmap: Path | None = None,
    occupancy_vs_error: Path | None = None,
):
    """Draw the figures that are asked for, from the tables of position decoding."""
    cli.options(spec)
    found, table = files.read_json(scores), contract.read_log(steps, "position_steps")[1]
    shown = table[table["representation"] == representation(table)]
    tested = test if found["tested_on"] == "test" else trajectory
    if decoded_path:
        draw_path(longest(shown), tested, decoded_path)
    if position_over_time:
        draw_over_time(longest(shown), position_over_time)
    if probmap:
        draw_probmap(found, representation(table), contract.header(tested)["area"], probmap)
    if occupancy_vs_error:
        draw_errors(shown, found, trajectory, occupancy_vs_error)


def representation(table):
    """What is drawn where one must be chosen: the belief as a whole, else its first layer."""
    names = list(dict.fromkeys(table["representation"]))
    belief = [name for name in names if name.startswith("dyn")]
    return next(iter([name for name in ("combined", *belief, *names) if name in names]), None)


def longest(table):
    """The rows of the longest tested episode."""
    if not len(table):
        return table
    return table[table["episode"] == table["episode"].value_counts().sort_index().idxmax()]


def draw_path(table, recording, svg):
    """The true path of an episode that no decoder had seen, and the guesses, over the terrain."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    header, episode = contract.header(recording), table["episode"].iloc[0]
    grid = ground_map.terrains(recording).get(episode)
    parts = list(table.groupby("method"))
    figure, axes = PLT.subplots(1, len(parts), figsize=(4.6 * len(parts), 4.8), squeeze=False)
    for axis, (method, part) in zip(axes[0], parts, strict=True):
        ground_map.draw(axis, header, grid)
        x, y = (part[[f"true_{name}", name]].to_numpy().T for name in "xy")
        axis.plot(x, y, color=style.GREY, linewidth=0.4, alpha=0.2)
        axis.plot(x[0], y[0], color=style.BLACK, linewidth=2, label="true path")
        look = {"color": style.RED, "marker": ".", "linestyle": "none", "alpha": 0.6}
        axis.plot(x[1], y[1], label="decoded", **look)
        ground_map.widen(axis, x[1], y[1])
        axis.set_title(f"{method}: mean error {part['error'].mean():.1f} tiles")
    axes[0, 0].legend(loc="upper left", frameon=True, fontsize=8)
    figure.suptitle(f"{table['representation'].iloc[0]}, held-out episode {episode}", fontsize=10)
    style.save(figure, svg)


def draw_over_time(table, svg):
    """x and y of the same episode, true and decoded, step by step."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    figure, axes = PLT.subplots(2, 1, figsize=(8, 4.4), sharex=True)
    for axis, name in zip(axes, "xy", strict=True):
        for method, part in table.groupby("method"):
            look = {"color": COLOURS[method], "marker": ".", "markersize": 3, "linewidth": 0.6}
            axis.plot(part["step"], part[name], label=f"decoded, {method}", alpha=0.7, **look)
        one = table[table["method"] == table["method"].iloc[0]]
        axis.plot(one["step"], one[f"true_{name}"], color=style.BLACK, linewidth=2, label="true")
        axis.set_ylabel(f"{name} (tiles)")
    axes[1].set_xlabel("steps since reset")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    style.save(figure, svg)


def draw_probmap(found, name, area, svg):
    """Mean decoded probability over the world while the agent stands on each of a few tiles."""
    maps = found["details"].get(name, {}).get("probmaps", [])
    if not maps:
        return style.sentence(svg, "No classifier was fitted, so there are no probabilities.")
    figure, axes = PLT.subplots(1, len(maps), figsize=(3 * len(maps) + 0.6, 3.4), squeeze=False)
    top = max(max(item["p"], default=0.0) for item in maps)
    for axis, item in zip(axes[0], maps, strict=True):
        grid = np.zeros(area)
        grid[item["x"], item["y"]] = item["p"]
        image = axis.imshow(grid.T, vmin=0, vmax=top or 1)
        axis.plot(
            *item["tile"],
            marker="s",
            markersize=7,
            fillstyle="none",
            color=style.RED,
            clip_on=False,
        )
        style.map_axes(axis, area)
        axis.set_title(f"at ({item['tile'][0]}, {item['tile'][1]}), {item['steps']} steps")
    figure.colorbar(image, ax=axes[0], label="mean decoded probability", shrink=0.8)
    figure.suptitle(f"{name}, robust; red square: where the agent is", fontsize=10)
    style.save(figure, svg)


def draw_errors(table, found, recording, svg):
    """Error against how often a tile was visited, and against the time since reset."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    read = contract.read(recording, ["x", "y"])
    tiles, visits = np.unique(np.stack([read["x"], read["y"]], 1), axis=0, return_counts=True)
    visited = dict(zip(map(tuple, tiles.tolist()), visits.tolist(), strict=True))
    own = [visited.get(tile, 0) for tile in zip(table["true_x"], table["true_y"], strict=True)]
    table = table.assign(visits=own)
    level = [row for row in found["summary"] if row["score"] == "mean Euclidean error"][0]
    figure, axes = PLT.subplots(1, 2, figsize=(8.6, 3.6), sharey=True)
    for method, part in table.groupby("method"):
        spots = part.groupby(["true_x", "true_y"])[["visits", "error"]].mean()
        look = {"color": COLOURS[method], "s": 8, "alpha": 0.3, "linewidths": 0}
        axes[0].scatter(spots["visits"], spots["error"], **look)
        octaves = spots.groupby(np.ceil(np.log2(spots["visits"] + 1))).mean()
        axes[0].plot(
            octaves["visits"], octaves["error"], color=COLOURS[method], marker="o", markersize=4
        )
        width = max(1, round(part["step"].max() / 20))
        time = part.groupby(part["step"] // width)["error"].mean()
        axes[1].plot((time.index + 0.5) * width, time, color=COLOURS[method], label=method)
    for axis in axes:
        axis.axhline(level["chance"], label=f"chance: {level['chance_name']}", **style.CHANCE)
    axes[0].set_xscale("symlog", linthresh=1)
    axes[0].set(
        xlabel="visits of the tile in the recording (steps)",
        xlim=(-0.3, 1.5 * table["visits"].max() + 1),
    )
    axes[0].set(ylabel="mean Euclidean error (tiles)", ylim=(0, None))
    axes[1].set(xlabel="steps since reset", xlim=(0, None))
    handles = axes[1].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    style.save(figure, svg)


if __name__ == "__main__":
    cli.run(main)
