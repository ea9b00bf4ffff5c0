"""Reads a data set: windows of its episodes, with the action before each window.

A window never crosses episodes. Row t of a window is the observation, the action that **led to**
it, and what came with it; the action chosen after it stands apart, so that nobody predicts what he
is told. In the shapes, B is windows, T their rows, N rows of the whole data set.
"""

from pathlib import Path

import numpy as np

from dreamer import dataset_images, spaces, trajectory
from dreamer.dataset_sources import actions
from jobs.errors import Refused

FLAGS = ("is_first", "is_last", "is_terminal")


class Lengths:
    """How many rows each episode of a data set has: `length` [episodes], read from its footer."""

    def __init__(self, path):
        self.path, file = Path(path), trajectory.open_file(path, "dataset")
        groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
        self.length = np.array(groups, np.int64)
        if not len(groups):
            raise Refused(f"{path} has no episodes; make it again with some")

    def check(self, length, name):
        """Refuse data none of whose episodes fills a window of `length` rows, option `name`."""
        longest = int(self.length.max())
        if longest < length:
            raise Refused(
                f"{self.path} has no episode of more than {longest} steps, but option {name} asks "
                f"for windows of {length}; lower it, or give longer episodes"
            )


class Episodes(Lengths):
    """A data set. `images` [N, H, W, 3] lie in a file in the folder `work`, which may be shared.

    `action` [N] int32 or [N, A] float32 is the one chosen after each row, `labelled` [N] whether it
    is known. `start` and `length` [episodes] say where each episode's rows are. `position` [N, 2]
    is None where it is not recorded.
    """

    def __init__(self, path, work):
        super().__init__(path)
        file = trajectory.open_file(path, "dataset")
        self.header = trajectory.header(path, "dataset")
        self.spaces = spaces.from_json(self.header["spaces"])
        self.start = np.cumsum(self.length) - self.length
        self._read(file)
        self.images = dataset_images.open_images(self.path, file, self.spaces, Path(work))

    def _read(self, file):
        names = ["action", "reward", *FLAGS, "policy"]
        placed = trajectory.has(self.path, "x", "y", kind="dataset")
        table = file.read([*names, *(("x", "y") if placed else ())])
        self.action = actions(table["action"], self.header["action_width"])
        wide = self.action.ndim == 2
        self.labelled = np.isfinite(self.action).all(1) if wide else self.action >= 0
        self.action[~self.labelled] = 0
        self.reward, self.policy = table["reward"].to_numpy(), table["policy"].to_numpy()
        self.is_first, self.is_last, self.is_terminal = (table[name].to_numpy() for name in FLAGS)
        self.position = None
        if placed:
            self.position = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], 1)

    def draw(self, rng, count, length, pad=False, among=None):
        """`count` windows [B, 2] (episode, first row in it), all equally probable.

        `pad` also draws from episodes that are shorter, whose one window is padded. `among` are the
        episodes to draw from.
        """
        among = np.arange(len(self.length)) if among is None else np.asarray(among)
        starts = np.maximum(self.length[among] - length + 1, 1 if pad else 0)
        ends = np.cumsum(starts)
        if not len(ends) or not ends[-1]:
            raise Refused(f"{self.path} has no episode of {length} steps; ask for shorter windows")
        chosen = rng.integers(ends[-1], size=count)
        place = np.searchsorted(ends, chosen, side="right")
        return np.stack([among[place], chosen - (ends - starts)[place]], 1)

    def windows(self, places, length, ahead=0, images=True):
        """The windows `places` [B, 2] of `length` = T rows, as a dict of arrays.

        [B, T]: image (uint8 [B, T, H, W, 3]), action (that led to the row), known (False where none
        did or it is not labelled), is_first, valid (False in padding).
        [B, T + ahead]: next_action (chosen after the row), next_known (False at an episode's last
        row, in padding and where not labelled), reward, reward_known (False at an episode's first
        row and in padding), is_terminal, is_last, present (False in padding).
        """
        places = np.asarray(places)
        row = places[:, 1:] + np.arange(length + ahead)
        present = (row >= 0) & (row < self.length[places[:, 0], None])
        index = self.start[places[:, 0], None] + np.minimum(
            row, self.length[places[:, 0], None] - 1
        )
        found = self._ahead(index, present)
        row, index, present = row[:, :length], index[:, :length], present[:, :length]
        before = np.maximum(index - 1, 0)
        known = present & (row > 0) & self.labelled[before]
        found |= {
            "action": _where(known, self.action[before]),
            "known": known,
            "is_first": self.is_first[index] & present,
            "valid": present,
        }
        return found | ({"image": _where(present, self.images[index])} if images else {})

    def _ahead(self, index, present):
        known = present & self.labelled[index] & ~self.is_last[index]
        rewarded = present & ~self.is_first[index]
        return {
            "next_action": _where(known, self.action[index]),
            "next_known": known,
            "reward": _where(rewarded, self.reward[index]),
            "reward_known": rewarded,
            "is_terminal": self.is_terminal[index] & present,
            "is_last": self.is_last[index] & present,
            "present": present,
        }

    def frames(self, rng, count):
        """`count` images [B, H, W, 3], all rows equally probable."""
        return self.images[np.sort(rng.integers(len(self.images), size=count))]

    def returns(self):
        """Sum of the rewards of each episode."""
        return np.add.reduceat(self.reward, self.start)


def _where(mask, values):
    """`values` [B, T, ...], zero where `mask` [B, T] is False."""
    return np.where(
        mask.reshape(*mask.shape, *(1,) * (values.ndim - 2)), values, values.dtype.type(0)
    )
