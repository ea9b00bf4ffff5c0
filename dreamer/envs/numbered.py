"""Episodes by their number: what lets any of them be played without those before it."""

import gymnasium


class Numbered(gymnasium.Env):
    """An environment of `seeds` whose counter `n_resets` says which episode comes next."""

    def __init__(self, *seeds):
        self._seeds, self.n_resets = seeds, 0

    def begin(self, seed, options):
        """Number of the episode that begins: the next one, or options["n_resets"].

        A `seed` replaces all seeds and counts the resets from zero.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._seeds, self.n_resets = (seed,) * len(self._seeds), 0
        number = (options or {}).get("n_resets", self.n_resets)
        self.n_resets = number + 1
        return number
