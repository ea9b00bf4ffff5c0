"""Dreams as arrays, beside the real future of each start; refuses what does not belong together.

In the shapes, N is starts, H imagined steps (h = 0 is the recorded state), T recorded steps.
"""

from typing import NamedTuple

import numpy as np

from dreamer import trajectory
from jobs.errors import Refused

VARIANTS = ("policy", "forced")


class Dreams(NamedTuple):
    """`order` {variant: rows of the file [N, H + 1]} and what every variant shares."""

    order: dict
    action: dict  # {variant: [N, H + 1] float, NaN at h = 0 and where they are several numbers}
    real: np.ndarray  # [N, H + 1] rows of the recording: the real future
    position: np.ndarray  # [N, H + 1, 2] where the agent really was


def load(path, recording):
    """Dreams from a Parquet file, aligned with the recording that they started from."""
    names = ["start_episode", "start_step", "h", "variant", "action", "x", "y"]
    read = trajectory.read(path, names, "dreams")
    order, starts = {}, None
    for variant in VARIANTS:
        rows = np.flatnonzero(read["variant"] == variant)
        if len(rows):
            order[variant] = _grid(path, read, rows)
            starts = order[variant] if starts is None else starts
    if starts is None:
        raise Refused(f"{path} holds no dreams; run the dream stage again")
    real = _real(path, read, starts, recording)
    position = recording.position[real]
    told = np.stack([read["x"], read["y"]], 1)
    for rows in order.values():
        if not (told[rows] == position).all():
            raise Refused(_foreign(path, recording, "positions"))
    action = {name: read["action"][rows].astype(float) for name, rows in order.items()}
    _check_forced(path, recording, action, real)
    return Dreams(order, {name: single(done) for name, done in action.items()}, real, position)


def single(action):
    """Actions [N, H + 1]; NaN where each is several numbers [N, H + 1, A]."""
    return action if action.ndim == 2 else np.full(action.shape[:2], np.nan)


def _grid(path, read, rows):
    """Rows [N, H + 1] sorted by start and h."""
    keys = [read[name][rows] for name in ("h", "start_step", "start_episode")]
    rows = rows[np.lexsort(keys)]
    length = int(read["h"].max()) + 1
    if len(rows) % length or (read["h"][rows].reshape(-1, length) != np.arange(length)).any():
        raise Refused(f"{path} lacks steps of some dreams; run the dream stage again")
    return rows.reshape(-1, length)


def _real(path, read, rows, recording):
    """Rows of the recording at start_step + h, [N, H + 1]."""
    keys = zip(recording.episode.tolist(), recording.step.tolist(), strict=True)
    place = {key: row for row, key in enumerate(keys)}
    steps = read["start_step"][rows].astype(int) + read["h"][rows]
    wanted = zip(read["start_episode"][rows].ravel().tolist(), steps.ravel().tolist(), strict=True)
    found = np.array([place.get(key, -1) for key in wanted]).reshape(rows.shape)
    if (found < 0).any():
        raise Refused(_foreign(path, recording, "steps"))
    return found


def _check_forced(path, recording, action, real):
    """Forced dreams must replay what was done: the action of row t led to row t + 1."""
    if "forced" not in action:
        return
    done = trajectory.read(recording.path, ["action"])["action"]
    if (action["forced"][:, 1:] != done[real[:, :-1]]).any():
        raise Refused(_foreign(path, recording, "actions"))


def _foreign(path, recording, what):
    return (
        f"the {what} in {path} are not those of {recording.path}; "
        "give the recording that the dreams were started from"
    )
