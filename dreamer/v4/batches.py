"""Batches of a data set, drawn so that those of update u depend on the seed and on u alone.

In the shapes, B is windows, T rows of a window, L offsets that the heads predict, N all rows.
"""

import numpy as np


def rng(*words):
    """The generator of one batch, by the seed and the numbers that tell it from all others."""
    return np.random.default_rng(words)


class Data:
    """`dreamer.episodes.Episodes` with the `latents` [N, N_b, D_b] of a frozen tokenizer."""

    def __init__(self, episodes, latents=None):
        self.episodes, self.latents = episodes, latents

    def draw(self, rng, count, length):
        """Windows [count, 2] (episode, first row), all equally likely; one, which is padded, of
        every episode that is shorter."""
        return self.episodes.draw(rng, count, length, pad=True)

    def relevant(self, rng, count, length):
        """As `draw`, but windows with a reward in them; any windows where there is none."""
        found = self.episodes
        rewarded = np.flatnonzero(found.reward)
        if not len(rewarded):
            return self.draw(rng, count, length)
        chosen = rewarded[rng.integers(len(rewarded), size=count)]
        episode, row = self._place(chosen)
        low = np.maximum(0, row - length + 1)
        high = np.minimum(row, found.length[episode] - length)
        return np.stack([episode, rng.integers(low, np.maximum(low, high) + 1)], 1)

    def images(self, places, length):
        """uint8 [B, T, H, W, 3]."""
        return self.episodes.images[self._rows(places, length)]

    def frames(self, places, length, ahead=None):
        """Frames {z, led, known, valid: [B, T, ...]}: latents, and the action that led to each.

        With `ahead` = L - 1 also what the heads learn, as `heads.losses` takes it.
        """
        found = self.episodes.windows(places, length, ahead or 0, images=False)
        z = np.asarray(self.latents[self._rows(places, length)], np.float32)
        rows = {"z": z, "led": found["action"], "known": found["known"], "valid": found["valid"]}
        targets = {
            "action": found["next_action"],
            "action_known": found["next_known"],
            "reward": found["reward"].astype(np.float32),
            "reward_known": found["reward_known"],
            "go_on": 1 - found["is_terminal"].astype(np.float32),
            "go_on_known": found["present"],
        }
        return rows if ahead is None else rows | targets

    def contexts(self, rng, count, length):
        """`frames` that end where imagination begins: any row but a terminal one.

        Near the beginning of an episode the first frames are not valid.
        """
        starts = np.flatnonzero(~self.episodes.is_terminal)
        episode, row = self._place(starts[rng.integers(len(starts), size=count)])
        return self.frames(np.stack([episode, row - length + 1], 1), length)

    def _place(self, rows):
        """(episode, row in it) of rows counted over all episodes."""
        episode = np.searchsorted(self.episodes.start, rows, side="right") - 1
        return episode, rows - self.episodes.start[episode]

    def _rows(self, places, length):
        """Rows [B, T] counted over all episodes; beyond an end the row at that end."""
        row = places[:, 1:] + np.arange(length)
        row = np.clip(row, 0, self.episodes.length[places[:, 0], None] - 1)
        return self.episodes.start[places[:, 0], None] + row
