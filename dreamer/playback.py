"""A recording as its network saw it: observations and actions, step by step, in the same places.

Place i of N sees episodes i, i + N, ..., as environment i of the recorder played them. So the same
network computes the same again. T is steps of an episode.
"""

import numpy as np

from dreamer import png, trajectory
from dreamer.columns import POSITION

COLUMNS = ("image", "action", "is_first")


class Playback:
    """The `missing` episodes of a recording; `seen` are the observations ((name, Space), ...)."""

    def __init__(self, path, seen, missing):
        self.file, self.seen = trajectory.open_file(path), seen
        self.episodes = self.file.num_row_groups
        self.count = min(trajectory.header(path)["options"]["envs"], self.episodes)
        self.waiting = [[item for item in missing if item % self.count == place]
                        for place in range(self.count)]  # fmt: skip
        self.playing = [None] * self.count  # numbers of episodes
        self.rows = [{}] * self.count
        self.episode = np.zeros(self.count, np.int64)
        self.age = np.zeros(self.count, np.int64)
        self.found = [[] for _ in range(self.count)]
        for place in range(self.count):
            self._begin(place)

    @property
    def over(self):
        """Whether every episode was played."""
        return not any(self.rows)

    def row(self):
        """(observation {name: [N, ...]}, action taken [N]); zeros in places that have ended."""
        seen = {
            name: np.zeros((self.count, *space.shape), space.dtype) for name, space in self.seen
        }
        seen["is_first"], taken = np.ones(self.count, bool), np.zeros(self.count, np.int32)
        for place, rows in enumerate(self.rows):
            if rows:
                step = self.age[place]
                taken[place], seen["is_first"][place] = rows["action"][step], rows["is_first"][step]
                for name, _ in self.seen:
                    seen[name][place] = _observation(name, rows, step)
        return seen, taken

    def advance(self, activations):
        """Keep {layer: [N, units]} of a row; yields (episode, {layer: [T, units]}) that ended."""
        for place, rows in enumerate(self.rows):
            if not rows:
                continue
            self.found[place].append({name: item[place] for name, item in activations.items()})
            self.age[place] += 1
            if self.age[place] == len(rows["action"]):
                found, self.found[place] = self.found[place], []
                yield (
                    self.playing[place],
                    {name: np.stack([row[name] for row in found]) for name in activations},
                )
                self._begin(place)

    def plain(self, episode, names):
        """{column: values} of an episode, as `trajectory.write` takes them."""
        return self.file.read_row_group(episode, columns=list(names)).to_pydict()

    def _begin(self, place):
        """Read the next episode of a place, or leave it empty."""
        self.age[place], self.rows[place] = 0, {}
        if self.waiting[place]:
            self.playing[place] = self.waiting[place].pop(0)
            self.episode[place] = self.playing[place] // self.count
            names = [*COLUMNS, *(("x", "y") if POSITION in dict(self.seen) else ())]
            self.rows[place] = self.plain(self.playing[place], names)


def _observation(name, rows, step):
    if name == POSITION:
        return rows["x"][step], rows["y"][step]
    return png.decode(rows["image"][step])
