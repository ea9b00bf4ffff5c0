"""Do decoded places move as an agent does: by single steps, over ground, in the way it acted?

In the shapes, N is sequences, H steps after the first; guesses are [N, H + 1, 2] in tiles.
"""

import numpy as np

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
# Just above whole numbers, so that the upper end of each bin belongs to it.
EDGES = np.array([0, 0.01, 1.01, 2.01, 3.01, 5.01, 10.01, np.inf])


def step_lengths(guess):
    """Euclidean length [N, H] of each decoded step, between whole tiles."""
    return np.linalg.norm(np.diff(np.rint(guess), axis=1), axis=-1)


def histogram(lengths):
    """Share of steps of 0, up to 1, 2, 3, 5, 10 and more tiles."""
    counts = np.histogram(lengths, EDGES)[0]
    return counts / max(counts.sum(), 1)


def on_ground(guess, walkable):
    """Share of guesses [N, H + 1, 2] on tiles of walkable [N, W, H]."""
    tiles = np.rint(guess).astype(int)
    limit = np.array(walkable.shape[1:]) - 1
    inside = ((tiles >= 0) & (tiles <= limit)).all(-1)
    x, y = np.moveaxis(np.clip(tiles, 0, limit), -1, 0)
    return float((inside & walkable[np.arange(len(walkable))[:, None], x, y]).mean())


def agreement(guess, action, names):
    """(share of move actions whose decoded step goes mainly their way, the same by chance).

    action [N, H + 1] led to its row (NaN at 0), `names` are the actions' names. A step without a
    main direction does not agree. Chance pairs every action with every decoded step.
    """
    if not np.isfinite(action[:, 1:]).any():
        return None, None
    ways = [name.removeprefix("move_") for name in names]
    moves = np.array([DIRECTIONS.get(way, (0, 0)) for way in ways])
    taken = action[:, 1:]
    wanted = moves[np.nan_to_num(taken).astype(int)]
    chosen = np.isfinite(taken) & wanted.any(-1)
    if not chosen.any():
        return None, None
    wanted, done = wanted[chosen], _main_direction(np.diff(guess, axis=1))[chosen]
    chance = sum(
        (wanted == way).all(1).mean() * (done == way).all(1).mean() for way in DIRECTIONS.values()
    )
    return float((wanted == done).all(1).mean()), float(chance)


def _main_direction(step):
    """Unit step [..., 2] along the larger component; zero if neither is larger or none half a tile.

    Half a tile, because ridge never stands perfectly still.
    """
    size = np.abs(step)
    main = (size > size[..., ::-1]) & (size >= 0.5)
    return np.where(main, np.sign(step), 0).astype(int)
