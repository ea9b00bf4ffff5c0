"""The ground under paths: terrain in muted colours, or plain axes where none was recorded."""

import numpy as np
from matplotlib.colors import ListedColormap

from analysis import style
from dreamer import trajectory


def terrains(path):
    """{episode: material ids [W, H]} of a recording, empty where there is no terrain."""
    if not trajectory.has(path, "terrain", "terrain_changed"):
        return {}
    return {name: grid for name, (grid, _) in trajectory.terrain(path).items()}


def draw(axis, header, grid=None):
    """World [W, H] of material ids below whatever is drawn next, with tile axes."""
    if grid is not None and "materials" in header:
        colours = style.ground(header["materials"])
        limits = {"vmin": -0.5, "vmax": len(colours) - 0.5}
        axis.imshow(np.asarray(grid).T, cmap=ListedColormap(colours), alpha=0.7, zorder=0, **limits)
    style.map_axes(axis, header["area"])


def zoom(axis, points, area, margin=2, smallest=12):
    """Limit tile axes to a square around points [..., 2], at least `smallest` tiles wide.

    The square is moved into the world where it fits there.
    """
    points = np.asarray(points, float).reshape(-1, 2)
    low, high = points.min(0) - margin, points.max(0) + margin
    half = max((high - low).max(), smallest) / 2
    room = np.array(area) - 0.5 - half
    centre = (low + high) / 2
    centre = np.where(room >= half - 0.5, np.clip(centre, half - 0.5, room), centre)
    axis.set_xlim(centre[0] - half, centre[0] + half)
    axis.set_ylim(centre[1] + half, centre[1] - half)
    axis.locator_params(integer=True)


def widen(axis, x, y):
    """Widen tile axes so that guesses outside the world are seen too."""
    left, right = axis.get_xlim()
    bottom, top = axis.get_ylim()
    axis.set_xlim(min(left, np.min(x) - 0.5), max(right, np.max(x) + 0.5))
    axis.set_ylim(max(bottom, np.max(y) + 0.5), min(top, np.min(y) - 0.5))
