"""Where decoders put the agent: paths, maps of probability, and where they fail."""

from pathlib import Path

import numpy as np

from analysis import ground_map, method_looks, style
from analysis.position_maps import draw_classification, draw_probmap
from dreamer import trajectory as contract
from jobs import cli, files

PLT = style.plt
BEYOND = 3  # tiles outside the world up to which guesses are drawn
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
    classification: Path | None = None,
    layer: str | None = None,
):
    """Draw the figures that are asked for, from the tables of position decoding.

    `layer` chooses the representation that is drawn; without it, it is the belief as a whole.
    """
    cli.options(spec)
    found, table = files.read_json(scores), contract.read_log(steps, "position_steps")[1]
    name = layer or representation(table)
    shown = table[table["representation"] == name]
    tested = test if found["tested_on"] == "test" else trajectory
    area = contract.header(tested)["area"]
    if decoded_path:
        draw_path(longest(shown), tested, decoded_path)
    if position_over_time:
        draw_over_time(near(longest(shown), area), position_over_time)
    if probmap:
        draw_probmap(found, [layer] if layer else beliefs(table), area, probmap)
    if occupancy_vs_error:
        draw_errors(shown, found, trajectory, occupancy_vs_error)
    if classification:
        if len(shown):
            draw_classification(shown, area, classification)
        else:
            style.sentence(classification, EMPTY)


def beliefs(table):
    """The belief, layer by layer and as a whole; else the first representation."""
    names = list(dict.fromkeys(table["representation"]))
    found = [name for name in names if name.startswith("dyn") or name == "combined"]
    return found or names[:1]


def representation(table):
    """What is drawn where one must be chosen: the belief as a whole, else its first layer."""
    found = beliefs(table)
    return "combined" if "combined" in found else next(iter(found), None)


def longest(table):
    """The rows of the longest tested episode."""
    if not len(table):
        return table
    return table[table["episode"] == table["episode"].value_counts().sort_index().idxmax()]


def near(table, area):
    """The rows with guesses far outside the world [W, H] moved to a few tiles beyond its edge."""
    sides = zip("xy", area, strict=True)
    return table.assign(
        **{name: table[name].clip(-BEYOND, side - 1 + BEYOND) for name, side in sides}
    )


def draw_path(table, recording, svg):
    """The true path of an episode that no decoder had seen, and the guesses, over the terrain."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    header, episode = contract.header(recording), table["episode"].iloc[0]
    grid = ground_map.terrains(recording).get(episode)
    columns, rows = table["method"].nunique(), table["network"].nunique()
    size = (4.6 * columns, 4.6 * rows + 0.2)
    figure, axes = PLT.subplots(rows, columns, figsize=size, squeeze=False)
    for axis, ((method, network), part) in zip(
        axes.flat, method_looks.networks(table), strict=True
    ):
        ground_map.draw(axis, header, grid)
        part = near(part, header["area"])
        x, y = (part[[f"true_{name}", name]].to_numpy().T for name in "xy")
        axis.plot(x, y, color=style.GREY, linewidth=0.4, alpha=0.2)
        axis.plot(x[0], y[0], color=style.BLACK, linewidth=2, label="true path")
        look = {"color": style.RED, "marker": ".", "linestyle": "none", "alpha": 0.6}
        axis.plot(x[1], y[1], label="decoded", **look)
        if grid is None:  # nothing but the path says what part of the world matters
            ground_map.zoom(axis, np.stack([x, y], axis=-1), header["area"])
        else:
            ground_map.widen(axis, x[1], y[1])
        name = method_looks.label(method, network)
        axis.set_title(f"{name}: mean error {part['error'].mean():.1f} tiles")
    axes[0, 0].legend(loc="upper left", frameon=True, fontsize=8)
    figure.suptitle(f"{table['representation'].iloc[0]}, held-out episode {episode}", fontsize=10)
    style.save(figure, svg)


def draw_over_time(table, svg):
    """x and y of the same episode, true and decoded, step by step."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    figure, axes = PLT.subplots(2, 1, figsize=(8, 4.4), sharex=True)
    for axis, name in zip(axes, "xy", strict=True):
        for (method, network), part in reversed(method_looks.networks(table)):
            blank = network == method_looks.UNTRAINED
            look = {"color": method_looks.colour(method), "alpha": 0.35 if blank else 0.7}
            look |= {"marker": "x" if blank else ".", "markersize": 3, "linewidth": 0.6}
            label = f"decoded, {method_looks.label(method, network)}"
            axis.plot(part["step"], part[name], label=label, **look)
        first = method_looks.networks(table)[0][1]
        axis.plot(
            first["step"], first[f"true_{name}"], color=style.BLACK, linewidth=2, label="true"
        )
        axis.set_ylabel(f"{name} (tiles)")
    axes[1].set_xlabel("steps since reset")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    style.save(figure, svg)


def draw_errors(table, found, recording, svg):
    """Error against how often a tile was visited, and against the time since reset."""
    if not len(table):
        return style.sentence(svg, EMPTY)
    table = table.assign(visits=visits(table, recording))
    level = [row for row in found["summary"] if row["score"] == "mean Euclidean error"][0]
    figure, axes = PLT.subplots(1, 2, figsize=(8.6, 3.6), sharey=True)
    highest = 3 * level["chance"] or 1
    for (method, network), part in method_looks.networks(table):
        blank = network == method_looks.UNTRAINED
        look = {"color": method_looks.colour(method), "linestyle": ":" if blank else "-"}
        spots = part.groupby(["true_x", "true_y"])[["visits", "error"]].mean()
        if not blank:
            dots = {"color": look["color"], "s": 8, "alpha": 0.3, "linewidths": 0}
            axes[0].scatter(spots["visits"], spots["error"].clip(upper=highest), **dots)
        octaves = spots.groupby(np.ceil(np.log2(spots["visits"] + 1))).mean()
        axes[0].plot(octaves["visits"], octaves["error"], marker="o", markersize=4, **look)
        width = max(1, round(part["step"].max() / 20))
        time = part.groupby(part["step"] // width)["error"].mean()
        label = method_looks.label(method, network)
        axes[1].plot((time.index + 0.5) * width, time, label=label, **look)
    for axis in axes:
        axis.axhline(level["chance"], label=f"chance: {level['chance_name']}", **style.CHANCE)
    axes[0].set_xscale("symlog", linthresh=1)
    axes[0].set(
        xlabel="visits of the tile in the recording (steps)",
        xlim=(-0.3, 1.5 * table["visits"].max() + 1),
    )
    axes[0].set(ylabel="mean Euclidean error (tiles)", ylim=(0, 1.02 * highest))
    axes[1].set(xlabel="steps since reset", xlim=(0, None))
    handles = axes[1].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    style.save(figure, svg)


def visits(table, recording):
    """How many steps of the recording lie on the true tile of each row."""
    read = contract.read(recording, ["x", "y"])
    tiles, steps = np.unique(np.stack([read["x"], read["y"]], 1), axis=0, return_counts=True)
    known = dict(zip(map(tuple, tiles.tolist()), steps.tolist(), strict=True))
    return [known.get(tile, 0) for tile in zip(table["true_x"], table["true_y"], strict=True)]


if __name__ == "__main__":
    cli.run(main)
