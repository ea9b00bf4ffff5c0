"""Sums over many weights in arrays, for drawing places in proportion to their weight."""

import numpy as np

BITS = 5
WIDE = 1 << BITS  # parts of a sum: numpy takes as long for these as for two


class SumTree:
    """Weights, zero or more, at places 0 to size - 1; all zero at first.

    `levels` are the weights, the sums of 32 of them each, the sums of 32 of those, ..., the total.
    A sum is always taken anew from its parts, so it depends on the weights alone and not on the
    changes that led to them.
    """

    def __init__(self, size):
        self.size, many = size, 1 << (size - 1).bit_length()
        self.levels = []
        while many > 1 or not self.levels:
            self.levels.append(np.zeros((-(-many // WIDE), WIDE)))
            many = len(self.levels[-1])
        self.levels.append(np.zeros((1, 1)))

    @property
    def total(self):
        """Sum of all weights."""
        return self.levels[-1][0, 0]

    @property
    def weights(self):
        """All weights, those of unused places at the end included; a view."""
        return self.levels[0].reshape(-1)

    def set(self, places, weights):
        """Change the weights [M] at `places` [M]; of a place given twice the last one counts."""
        if not len(places):
            return
        self.weights[places] = weights
        for parts, sums in zip(self.levels[:-1], self.levels[1:], strict=True):
            places = _once(places >> BITS)
            sums.reshape(-1)[places] = parts[places].sum(1)

    def draw(self, shares):
        """Places [B] at these shares [B], 0 to less than 1, of the total, which is above zero."""
        rest, places = shares * self.total, np.zeros(len(shares), np.int64)
        every = np.arange(len(shares))
        for parts in self.levels[-2::-1]:
            sums = parts[places].cumsum(1)
            past = (sums <= rest[:, None]).sum(1)
            last = (sums < sums[:, -1:]).sum(1)  # part above zero; rounding may lead past it
            inside = np.minimum(past, last)
            rest -= np.where(inside, sums[every, inside - 1], 0)
            places = WIDE * places + inside
        return places


def _once(places):
    """`places` [M] without those equal to the one before."""
    fresh = np.empty(len(places), bool)
    fresh[0] = True
    np.not_equal(places[1:], places[:-1], out=fresh[1:])
    return places[fresh]
