"""Windows of recorded episodes, drawn so that update u's depend on the seed and on u alone.

Row t of an episode is what was seen at t and the action chosen after it; the action that led to a
row is that of the row before, and none is known at an episode's first row.
In the shapes, B is windows, T rows of a window, L offsets that the heads predict, N all rows.
"""

import numpy as np

from jobs.errors import Refused

STREAM = 11  # of draws, apart from all other uses of the seed


def rng(seed, phase, update):
    """The generator of one update of the phase number `phase`."""
    return np.random.default_rng([seed, STREAM, phase, update])


class Windows:
    """Windows over an episode file's rows; `latents` [N, N_b, D_b] once the tokenizer is frozen."""

    def __init__(self, episodes, latents=None):
        self.rows, self.latents = episodes, latents
        self.lengths = np.asarray(episodes.lengths)
        self.ends = np.cumsum(self.lengths)
        self.begins = self.ends - self.lengths

    def check(self, name, length):
        """Refuse episodes shorter than the windows of the option `name`."""
        short = np.flatnonzero(self.lengths < length)
        if len(short):
            raise Refused(
                f"option {name} asks for windows of {length} rows, but episode {short[0]} of the "
                f"data has {self.lengths[short[0]]} rows ({len(short)} of {len(self.lengths)} are "
                "shorter); lower the option or leave such episodes out of the data"
            )

    def draw(self, rng, count, length):
        """First rows [count] of windows that lie inside an episode, all equally likely."""
        room = np.cumsum(np.maximum(self.lengths - length + 1, 0))
        if not room[-1]:
            raise Refused(f"no episode of the data has {length} rows; ask for shorter windows")
        chosen = rng.integers(room[-1], size=count)
        episode = np.searchsorted(room, chosen, side="right")
        return self.ends[episode] - length + 1 - (room[episode] - chosen)

    def relevant(self, rng, count, length):
        """As `draw`, among windows with a reward; among all where there are none."""
        rewarded = np.flatnonzero(np.asarray(self.rows.reward) != 0)
        if not len(rewarded):
            return self.draw(rng, count, length)
        row = rewarded[rng.integers(len(rewarded), size=count)]
        episode = np.searchsorted(self.ends, row, side="right")
        low = np.maximum(self.begins[episode], row - length + 1)
        high = np.minimum(row, self.ends[episode] - length)
        return rng.integers(low, np.maximum(high, low) + 1)

    def images(self, first, length):
        """uint8 [B, T, H, W, 3]."""
        return self.rows.image[first[:, None] + np.arange(length)]

    def frames(self, first, length):
        """Latents and what led to them: {z, action, known, valid}, each [B, T, ...]."""
        return self._frames(first[:, None] + np.arange(length))

    def targets(self, first, length, offsets):
        """What the heads learn at T + L - 1 rows, and which of it counts (heads.losses)."""
        rows, end = self.rows, self.ends[np.searchsorted(self.ends, first, side="right")]
        wanted = first[:, None] + np.arange(length + offsets - 1)
        inside, place = wanted < end[:, None], np.minimum(wanted, end[:, None] - 1)
        return {
            "action": np.asarray(rows.action)[place],
            "action_known": inside & rows.labelled[place] & ~rows.is_last[place],
            "reward": np.asarray(rows.reward, np.float32)[place],
            "reward_known": inside & ~rows.is_first[place],
            "go_on": 1 - rows.is_terminal[place].astype(np.float32),
            "go_on_known": inside,
        }

    def contexts(self, rng, count, length):
        """`frames` that end where imagination begins: any row but a terminal one.

        Near an episode's beginning the first frames are not valid.
        """
        starts = np.flatnonzero(~np.asarray(self.rows.is_terminal))
        last = starts[rng.integers(len(starts), size=count)]
        begin = self.begins[np.searchsorted(self.ends, last, side="right")]
        wanted = last[:, None] + np.arange(1 - length, 1)
        found = self._frames(np.maximum(wanted, begin[:, None]))
        return found | {"valid": wanted >= begin[:, None]}

    def _frames(self, place):
        rows, before = self.rows, np.maximum(place - 1, 0)
        return {
            "z": np.asarray(self.latents[place], np.float32),
            "action": np.asarray(rows.action)[before],
            "known": rows.labelled[before] & ~rows.is_first[place],
            "valid": np.ones(place.shape, bool),
        }
