"""Sums over many weights in one array, for drawing places in proportion to their weight."""

import numpy as np


class SumTree:
    """Weights, zero or more, at places 0 to size - 1; all zero at first.

    Node i of `sums` is the sum of nodes 2i and 2i + 1, node 1 the total; the weights are the last
    half. A sum is always taken anew from its two parts, so it depends on the weights alone and not
    on the changes that led to them.
    """

    def __init__(self, size):
        self.leaves = 1 << (size - 1).bit_length()
        self.sums = np.zeros(2 * self.leaves)
        self._pairs = self.sums.reshape(-1, 2)

    @property
    def total(self):
        """Sum of all weights."""
        return self.sums[1]

    @property
    def weights(self):
        """All weights, those of the unused places at the end included."""
        return self.sums[self.leaves :]

    def set(self, places, weights):
        """Change the weights [M] at `places` [M]; of a place given twice the last one counts."""
        if not len(places):
            return
        nodes = places + self.leaves
        self.sums[nodes] = weights
        while nodes[0] > 1:
            nodes = _once(nodes >> 1)
            pairs = self._pairs[nodes]
            self.sums[nodes] = pairs[:, 0] + pairs[:, 1]

    def draw(self, shares):
        """Places [B] at these shares [B], 0 to less than 1, of the total, which is above zero."""
        rest, nodes = shares * self.total, np.ones(len(shares), np.int64)
        while nodes[0] < self.leaves:
            pairs = self._pairs[nodes]
            left = pairs[:, 0]
            right = (rest >= left) & (pairs[:, 1] > 0)  # rounding must not lead to a weight of zero
            rest -= np.where(right, left, 0)
            nodes = 2 * nodes + right
        return nodes - self.leaves


def _once(nodes):
    """`nodes` [M] without those equal to the one before."""
    fresh = np.empty(len(nodes), bool)
    fresh[0] = True
    np.not_equal(nodes[1:], nodes[:-1], out=fresh[1:])
    return nodes[fresh]
