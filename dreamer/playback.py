"""A recording as its network saw it: observations and actions, step by step, in the same places.

Place i of N sees episodes i, i + N, ..., as environment i of the recorder played them. So the same
network computes the same again. T is steps of an episode.
"""

import numpy as np

from dreamer import observed, trajectory


class Playback:
    """The `missing` episodes of a recording.

    `seen` are the observations ((name, Space), ...), `action` is the Space of actions.
    """

    def __init__(self, path, seen, action, missing):
        self.file, self.seen, self.action = trajectory.open_file(path), seen, action
        self.header = trajectory.header(path)
        self.numbers = list(dict.fromkeys(trajectory.read(path, ["episode"])["episode"].tolist()))
        played = self.header.get("played", len(self.numbers))
        self.count = min(self.header["options"]["envs"], played)
        self.waiting = [[item for item in missing if self.numbers[item] % self.count == place]
                        for place in range(self.count)]  # fmt: skip
        self.playing = [None] * self.count  # indices of episodes in the file
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
        """(observation {name: [N, ...]}, action [N, ...]); zeros in places that have ended."""
        seen = {
            name: np.zeros((self.count, *space.shape), space.dtype) for name, space in self.seen
        }
        seen["is_first"] = np.ones(self.count, bool)
        kind = np.int32 if self.action.classes else np.float32
        taken = np.zeros((self.count, *self.action.shape), kind)
        for place, rows in enumerate(self.rows):
            if rows:
                step = self.age[place]
                taken[place], seen["is_first"][place] = rows["action"][step], rows["is_first"][step]
                for name, _ in self.seen:
                    seen[name][place] = rows["seen"][name](step)
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
            self.episode[place] = self.numbers[self.playing[place]] // self.count
            self.rows[place] = self._read(self.playing[place])

    def _read(self, episode):
        """{action: [T, ...], is_first: [T], seen: {name: `at(step)`}} of an episode."""
        names = {name: observed.columns(self.header, name) for name, _ in self.seen}
        wanted = {"action", "is_first", *(name for some in names.values() for name in some)}
        table = self.file.read_row_group(episode, columns=sorted(wanted))
        action, first = (
            observed.numbers(table[name].combine_chunks()) for name in ("action", "is_first")
        )
        return {
            "action": action.reshape(len(table), *self.action.shape),
            "is_first": first,
            "seen": {
                name: observed.moments(table, self.header, name, space) for name, space in self.seen
            },
        }
