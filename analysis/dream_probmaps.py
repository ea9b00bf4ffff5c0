"""What the decoder believes as a dream goes on: its probability of every tile, step by step."""

import numpy as np
from matplotlib.colors import ListedColormap, PowerNorm

from analysis import ground_map, style
from dreamer import trajectory as contract

PLT = style.plt
REAL = "real states"
NAMES = {
    "forced": "dream,\nreal actions",
    "policy": "dream,\npolicy acts",
    REAL: "awake,\nwhat really came",
}
SIDE, GAP, NUMBERS = 1.4, 0.12, 0.25  # inches
LEFT, RIGHT, TOP, BELOW = 1.0, 0.85, 0.4, 0.25
GROUND = ListedColormap(["#d4d4d4", "#ffffff"])  # walls, walkable
WHERE = {"marker": "s", "markersize": 7, "fillstyle": "none", "color": style.BLUE}
FRONT = {"zorder": 3, "clip_on": False}


def draw(maps, steps, variant, recording, svg):
    """Maps of one kind of dream over those of the same future seen awake, for a few starts.

    `maps` and `steps` are the tables of dream decoding, of one representation and method.
    """
    kinds = [kind for kind in (variant, REAL) if kind in set(maps["variant"])]
    if variant not in kinds:
        words = f"No dreams of the kind '{variant}' were decoded with a classifier"
        return style.sentence(svg, f"{words}, and only a classifier gives probabilities.")
    starts = sorted(set(zip(maps["start_episode"], maps["start_step"], strict=True)))
    columns = sorted(set(maps["h"]))
    figure, axes = panels(len(starts), len(kinds), len(columns))
    header, grounds = contract.header(recording), walkable(recording)
    scale = PowerNorm(0.5, 0, maps["p"].max())
    for row, line in enumerate(axes):
        start, kind = starts[row // len(kinds)], kinds[row % len(kinds)]
        around = points(of(maps, start), of(steps, start), columns)
        for axis, h in zip(line, columns, strict=True):
            true = of(steps, start, variant=kind, h=h).iloc[0]
            image = panel(axis, of(maps, start, variant=kind, h=h), true, header["area"], scale)
            ground(axis, grounds.get(start[0]))
            ground_map.zoom(axis, around, header["area"])
            axis.locator_params(nbins=4, integer=True)
        words = f"episode {start[0]}, step {start[1]}\n" if kind == kinds[0] else ""
        line[0].set_ylabel(f"{words}{NAMES[kind]}\ny (tiles)", fontsize=8)
    tidy(axes, columns, len(kinds))
    beside = axes[-1, -1].get_position()
    place = figure.add_axes([beside.x1 + 0.15 / figure.get_figwidth(), beside.y0, 0.012, 0.2])
    figure.colorbar(image, cax=place, label="decoded probability")
    name, method = maps[["representation", "method"]].iloc[0]
    title = f"{name}, {method}; blue square: where the agent really was, with its probability"
    figure.text(0.5, 1 - 0.15 / figure.get_figheight(), title, ha="center", va="center")
    style.save(figure, svg)


def panels(starts, kinds, columns):
    """A figure and its square axes [starts * kinds, columns], laid out by hand: that is much faster
    than by matplotlib where there are many."""
    rows = starts * kinds
    width = LEFT + columns * (SIDE + GAP) + RIGHT
    height = TOP + rows * (SIDE + GAP) + starts * NUMBERS + BELOW
    figure = PLT.figure(figsize=(width, height))
    figure.set_layout_engine("none")
    axes = np.empty((rows, columns), object)
    for row, column in np.ndindex(rows, columns):
        above = TOP + (row + 1) * (SIDE + GAP) + row // kinds * NUMBERS
        place = (LEFT + column * (SIDE + GAP), height - above)
        place = (place[0] / width, place[1] / height, SIDE / width, SIDE / height)
        axes[row, column] = figure.add_axes(place)
    return figure, axes


def of(table, start, **wanted):
    """The rows of a table about one start, and with these values."""
    keys = {"start_episode": start[0], "start_step": start[1], **wanted}
    return table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])]


def points(maps, steps, columns):
    """Tiles [N, 2] that the maps of a start are about: the likely ones, and the true ones."""
    bright = maps[maps["p"] >= 0.1 * maps.groupby(["variant", "h"])["p"].transform("max")]
    true = steps[steps["h"].isin(columns)]
    return np.concatenate([bright[["x", "y"]], true[["true_x", "true_y"]]])


def panel(axis, spots, true, area, scale):
    """One map of probability, the true tile and its probability."""
    grid = np.zeros(area)
    grid[spots["x"].to_numpy(int), spots["y"].to_numpy(int)] = spots["p"]
    image = axis.imshow(grid.T, cmap=heat(), norm=scale, zorder=2)
    style.map_axes(axis, area)
    axis.plot(true["true_x"], true["true_y"], **WHERE, **FRONT)
    corner = {"transform": axis.transAxes, "ha": "right", "va": "bottom", "fontsize": 7}
    axis.text(0.98, 0.02, f"p = {true['p']:.2g}", color=style.BLUE, zorder=4, **corner)
    return image


def ground(axis, grid):
    """White where the agent can walk and grey elsewhere, if that is known."""
    if grid is not None:
        axis.imshow(grid.T, cmap=GROUND, vmin=0, vmax=1, zorder=0)


def walkable(recording):
    """{episode: walkable [W, H]} at reset, empty where there is no terrain."""
    header, grids = contract.header(recording), ground_map.terrains(recording)
    if "walkable" not in header:
        return {}
    return {episode: np.isin(grid, header["walkable"]) for episode, grid in grids.items()}


def heat():
    """Yellow to red; what is nearly impossible is clear, so that the ground is seen."""
    colours = PLT.get_cmap("YlOrRd")(np.linspace(0.15, 1, 256))
    colours[:, 3] = np.minimum(1, np.linspace(0, 3, 256))
    return ListedColormap(colours)


def tidy(axes, columns, kinds):
    """Numbers on the left and under each start only, small: ticks are slow to draw."""
    for row, line in enumerate(axes):
        last = (row + 1) % kinds == 0
        for column, axis in enumerate(line):
            axis.tick_params(labelsize=7)
            axis.set_xlabel("x (tiles)" if row == len(axes) - 1 else "", fontsize=8)
            if column:
                axis.set(ylabel="", yticks=[])
            if not last:
                axis.set_xticks([])
    for axis, h in zip(axes[0], columns, strict=True):
        axis.set_title(f"h = {h}", fontsize=9)
