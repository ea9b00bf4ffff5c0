"""How many moves lie between a guess and the truth, on the ground as it was at reset.

In the shapes, T is steps, W x H the world in tiles, N walkable tiles.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial import KDTree


class Ground:
    """The walkable tiles of one world and the paths from the tiles where the agent stood.

    mask [W, H]; truth [T, 2]. Tiles where the agent stood count as walkable: it dug its way there.
    """

    def __init__(self, mask, truth):
        mask = mask.copy()
        mask[tuple(truth.T)] = True
        self.tiles = np.argwhere(mask)  # [N, 2]
        index = np.full(mask.shape, -1)
        index[mask] = np.arange(len(self.tiles))
        graph = _graph(index)
        self.component = connected_components(graph, directed=False)[1]  # [N]
        sources, self.row = np.unique(index[tuple(truth.T)], return_inverse=True)
        self.home = self.component[sources][self.row]  # [T]
        paths = shortest_path(graph, "D", directed=False, unweighted=True, indices=sources)
        self.paths = paths.astype(np.float32)  # [sources, N], inf where there is no path
        self.trees = {name: KDTree(self.members(name)) for name in np.unique(self.home)}

    def members(self, component):
        """Tiles [n, 2] of one connected piece of ground."""
        return self.tiles[self.component == component]

    def lengths(self, guess):
        """Moves [T] from the walkable tile nearest to each guess [T, 2] to the truth.

        Only tiles from which the truth can be reached are considered.
        """
        found = np.zeros(len(guess))
        for name, tree in self.trees.items():
            rows = np.flatnonzero(self.home == name)
            nearest = np.flatnonzero(self.component == name)[tree.query(guess[rows])[1]]
            found[rows] = self.paths[self.row[rows], nearest]
        return found


def grounds(truth, episode, walkable):
    """[(rows, Ground)]: episodes [T] on equal ground share their paths; empty without terrain."""
    if not walkable:
        return []
    worlds = {}
    for name in np.unique(episode):
        worlds.setdefault(walkable[name].tobytes(), []).append(name)
    rows = [(np.flatnonzero(np.isin(episode, names)), names[0]) for names in worlds.values()]
    return [(item, Ground(walkable[name], truth[item])) for item, name in rows]


def lengths(found, guess):
    """Moves [T] for guesses [T, 2] on the `grounds`; NaN where there is no ground."""
    moves = np.full(len(guess), np.nan)
    for rows, ground in found:
        moves[rows] = ground.lengths(guess[rows])
    return moves


def _graph(index):
    """Links between neighbouring walkable tiles of index [W, H] (-1 where not walkable)."""
    pairs = np.concatenate(
        [
            np.stack([index[:-1].ravel(), index[1:].ravel()]),
            np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()]),
        ],
        axis=1,
    )
    pairs = pairs[:, (pairs >= 0).all(0)]
    count = index.max() + 1
    return coo_array((np.ones(pairs.shape[1]), pairs), shape=(count, count)).tocsr()
