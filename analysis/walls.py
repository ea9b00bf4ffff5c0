"""How far is the next wall, in each direction, from where the agent stands?

In the shapes, T is steps, W x H the world in tiles.
"""

import numpy as np

from dreamer import trajectory

DIRECTIONS = trajectory.FACINGS
FAR = 4  # tiles from which on the distance to a wall no longer counts


def distances(enterable):
    """Tiles to the first wall [4, W, H] left, right, up, down of each tile; 1 stands before it.

    `enterable` [W, H] is False on walls; the map's edge is a wall too.
    """
    turned = [enterable, enterable[::-1], enterable.T, enterable.T[::-1]]
    left, right, up, down = map(_before, turned)
    return np.stack([left, right[::-1], up.T, down[::-1].T])


def _before(enterable):
    """Tiles to the first wall at lower indices of the first axis."""
    found = np.ones(enterable.shape, int)
    for index in range(1, len(found)):
        found[index] = np.where(enterable[index - 1], found[index - 1] + 1, 1)
    return found


def around(recording, episode, x, y):
    """Tiles to the wall in each direction [T, 4] for steps [T], or None without terrain.

    The ground is that at reset: what the agent digs or builds later is not in the recording.
    """
    enterable = trajectory.header(recording).get("enterable")
    if not enterable or not trajectory.has(recording, "terrain", "terrain_changed"):
        return None
    found, known = np.zeros((len(episode), 4), int), {}
    grids = trajectory.terrain(recording)
    for name in np.unique(episode):
        grid, rows = grids[name][0], np.flatnonzero(episode == name)
        key = grid.tobytes()
        if key not in known:
            known[key] = distances(np.isin(grid, enterable))
        found[rows] = known[key][:, x[rows], y[rows]].T
    return found
