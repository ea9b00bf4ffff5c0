"""Figures of behaviour: all paths, how often each tile was visited, one episode over time.

In the shapes, W x H is the world in tiles, T steps.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Patch

from analysis import ground_map, style
from dreamer import trajectory as recordings
from jobs import cli

PLT = style.plt
WALL = "#dddddd"
SHOWN = 60  # paths drawn at most


def one_world(recording, table):
    """(terrain [W, H] or None, its steps, words): the ground that most episodes share."""
    worlds = {}
    for episode, terrain in ground_map.terrains(recording).items():
        worlds.setdefault(terrain.tobytes(), (terrain, []))[1].append(episode)
    if not worlds:
        return None, table, ""
    terrain, members = max(worlds.values(), key=lambda item: len(item[1]))
    words = f", one of {len(worlds)} worlds ({len(members)} of the episodes)"
    return terrain, table[table["episode"].isin(members)], words if len(worlds) > 1 else ""


def draw_terrain(axis, terrain, table, header):
    """The world at reset, with a legend of what occurs in it; only the visited part if unknown."""
    ground_map.draw(axis, header, terrain)
    if terrain is None or "materials" not in header:
        ground_map.zoom(axis, table[["x", "y"]], header["area"])
        return
    names = [header["materials"][index] for index in np.unique(terrain)]
    patches = [
        Patch(facecolor=style.TERRAIN.get(name, "white"), alpha=0.7, label=name) for name in names
    ]
    axis.figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=8)


def draw_paths(terrain, table, header, words, svg):
    """Every episode as a line, a little beside the tiles' centres so that lines stay apart."""
    figure, axis = PLT.subplots(figsize=(6, 6.4))
    draw_terrain(axis, terrain, table, header)
    groups = list(table.groupby("episode"))
    shifts = np.random.default_rng(0).uniform(-0.3, 0.3, (len(groups), 2))
    colours = [style.BLUE, style.ORANGE, style.RED, style.PURPLE, style.BLACK, style.GREEN]
    for index, (_, rows) in enumerate(groups[:SHOWN]):
        x, y = rows["x"] + shifts[index, 0], rows["y"] + shifts[index, 1]
        colour = colours[index % len(colours)]
        axis.plot(x, y, color=colour, linewidth=0.9, alpha=0.7)
        axis.plot(x.iloc[:1], y.iloc[:1], "o", color=colour, markersize=5, markeredgecolor="white")
    axis.set_title(f"{min(SHOWN, len(groups))} of {len(groups)} episodes{words}; dots: starts")
    style.save(figure, svg)


def draw_visits(terrain, table, header, words, svg):
    """Steps per tile on a logarithmic scale; white: never visited."""
    visits = np.zeros(header["area"])
    np.add.at(visits, (table["x"], table["y"]), 1)
    figure, axis = PLT.subplots(figsize=(6.6, 5.6))
    style.map_axes(axis, header["area"])
    if terrain is not None and "walkable" in header:
        wall = np.where(np.isin(terrain, header["walkable"]), np.nan, 1.0)
        axis.imshow(wall.T, cmap=ListedColormap([WALL]), interpolation="nearest")
        axis.set_title("grey: not walkable at reset; white: never visited" + words)
    else:
        ground_map.zoom(axis, table[["x", "y"]], header["area"])
    shown = np.ma.masked_equal(visits.T, 0)
    scale = LogNorm(1, max(2, visits.max()))
    picture = axis.imshow(shown, norm=scale, interpolation="nearest")
    figure.colorbar(picture, label="steps on the tile", shrink=0.8)
    style.save(figure, svg)


def draw_episode(terrain, table, header, svg):
    """The longest episode from dark (start) to bright (end)."""
    longest = table.groupby("episode").size().idxmax()
    rows = table[table["episode"] == longest]
    place = rows[["x", "y"]].to_numpy(float)
    figure, axis = PLT.subplots(figsize=(6.9, 6.3))
    draw_terrain(axis, terrain, table, header)
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


def main(spec: Path, trajectory: Path, paths: Path, heat_map: Path, episode_path: Path):
    """Draw where the agent went."""
    cli.options(spec)
    header = recordings.header(trajectory)
    if not recordings.has(trajectory, "x", "y"):
        for svg in (paths, heat_map, episode_path):
            style.sentence(svg, "The recording has no positions.")
        return
    table = pd.DataFrame(recordings.read(trajectory, ["episode", "step", "x", "y"]))
    terrain, table, words = one_world(trajectory, table)
    draw_paths(terrain, table, header, words, paths)
    draw_visits(terrain, table, header, words, heat_map)
    draw_episode(terrain, table, header, episode_path)


if __name__ == "__main__":
    cli.run(main)
