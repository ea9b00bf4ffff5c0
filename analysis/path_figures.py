"""Maps of where the agent was: the whole world, all paths, visits per tile, one episode over time.

In the shapes, W x H is the world in tiles, T steps. `found` is a walked.Walked.
"""

import textwrap

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Patch

from analysis import ground_map, style, walked
from dreamer import trajectory

PLT = style.plt
WALL = "#dddddd"
SHOWN = 60  # paths drawn at most
UNKNOWN = "The recording holds no terrain, so the world cannot be drawn."


def draw_terrain(axis, found):
    """The world at reset, with a legend of what occurs in it; only the visited part if unknown."""
    header, terrain = found.header, found.terrain
    ground_map.draw(axis, header, terrain)
    if terrain is None or "materials" not in header:
        ground_map.zoom(axis, found.table[["x", "y"]], header["area"])
        return
    names, colours = header["materials"], style.ground(header["materials"])
    look = {"edgecolor": style.GREY, "linewidth": 0.5, "alpha": 0.7}
    patches = [
        Patch(facecolor=colours[index], label=names[index], **look) for index in np.unique(terrain)
    ]
    axis.figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=8)


def draw_walls(axis, found):
    """What could not be walked on at reset, in grey; False where that is unknown."""
    if found.terrain is None or "walkable" not in found.header:
        return False
    wall = np.where(np.isin(found.terrain, found.header["walkable"]), np.nan, 1.0)
    axis.imshow(wall.T, cmap=ListedColormap([WALL]), interpolation="nearest")
    return True


def full_world(found, options, svg):
    """The world at reset, where episodes begin and which tiles some of them changed."""
    if walked.colours(found) is None:
        style.sentence(svg, UNKNOWN)
        return ""
    figure, axis = PLT.subplots(figsize=(6, 6.4))
    draw_terrain(axis, found)
    grids, members = trajectory.terrain(found.path), found.table["episode"].unique()
    changed = np.any([grids[episode][1] for episode in members], axis=0)
    spots = {"marker": "s", "facecolors": "none", "edgecolors": style.RED, "linewidths": 1.2}
    axis.scatter(*np.argwhere(changed).T, s=22, **spots)
    starts = found.table[found.table["step"] == 0]
    axis.scatter(starts["x"], starts["y"], s=22, color=style.BLUE, edgecolors="white")
    told = f"starts: {len(members)} (blue); tiles changed in an episode: {changed.sum()} (red)"
    axis.set_title(textwrap.fill(told + found.words, 72))
    style.save(figure, svg)
    return ""


def paths(found, options, svg):
    """Every episode as a line, a little beside the tiles' centres so that lines stay apart."""
    figure, axis = PLT.subplots(figsize=(6, 6.4))
    draw_terrain(axis, found)
    groups = list(found.table.groupby("episode"))
    shifts = np.random.default_rng(0).uniform(-0.3, 0.3, (len(groups), 2))
    colours = [style.BLUE, style.ORANGE, style.RED, style.PURPLE, style.BLACK, style.GREEN]
    for index, (_, rows) in enumerate(groups[:SHOWN]):
        x, y = rows["x"] + shifts[index, 0], rows["y"] + shifts[index, 1]
        colour = colours[index % len(colours)]
        axis.plot(x, y, color=colour, linewidth=0.9, alpha=0.7)
        axis.plot(x.iloc[:1], y.iloc[:1], "o", color=colour, markersize=5, markeredgecolor="white")
    axis.set_title(
        f"{min(SHOWN, len(groups))} of {len(groups)} episodes{found.words}; dots: starts"
    )
    style.save(figure, svg)
    return ""


def heat_map(found, options, svg):
    """Steps per tile on a logarithmic scale; white: never visited."""
    table, area = found.table, found.header["area"]
    visits = np.zeros(area)
    np.add.at(visits, (table["x"], table["y"]), 1)
    figure, axis = PLT.subplots(figsize=(6.6, 5.6))
    style.map_axes(axis, area)
    if draw_walls(axis, found):
        axis.set_title("grey: not walkable at reset; white: never visited" + found.words)
    else:
        ground_map.zoom(axis, table[["x", "y"]], area)
    shown = np.ma.masked_equal(visits.T, 0)
    scale = LogNorm(1, max(2, visits.max()))
    picture = axis.imshow(shown, norm=scale, interpolation="nearest")
    figure.colorbar(picture, label="steps on the tile", shrink=0.8)
    style.save(figure, svg)
    return ""


def episode_path(found, options, svg):
    """The longest episode from dark (start) to bright (end)."""
    table = found.table
    longest = table.groupby("episode").size().idxmax()
    rows = table[table["episode"] == longest]
    place = rows[["x", "y"]].to_numpy(float)
    figure, axis = PLT.subplots(figsize=(6.9, 6.3))
    draw_terrain(axis, found)
    time = rows["step"].to_numpy()
    pieces = LineCollection(np.stack([place[:-1], place[1:]], 1), cmap="plasma", linewidth=2.5)
    pieces.set_array(time[1:])
    pieces.set_capstyle("round")
    axis.add_collection(pieces)
    ends = ((0, "o", "start"), (-1, "X", "end"))
    for index, marker, label in ends:
        spot = {"color": "white", "markeredgecolor": "black", "markersize": 9}
        axis.plot(*place[index], marker, **spot)
        axis.annotate(label, place[index], xytext=(7, 7), textcoords="offset points")
    figure.colorbar(pieces, label="step of the episode", shrink=0.7)
    axis.set_title(f"episode {longest}, the longest: {time[-1]} steps")
    style.save(figure, svg)
    return ""
