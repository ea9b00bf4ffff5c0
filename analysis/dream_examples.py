"""Which dreams are shown: a seeded draw of starts, of those with images where there are some."""

import numpy as np

from dreamer import trajectory


def choose(dreams, count, seed):
    """Up to `count` starts [(episode, step)] of a file of dreams, rising."""
    images = ["image"] if trajectory.has(dreams, "image", kind="dreams") else []
    names = ["start_episode", "start_step", "h", *images]
    read = trajectory.read(dreams, names, "dreams")
    keys = zip(read["start_episode"].tolist(), read["start_step"].tolist(), strict=True)
    pictured = {}
    for row, key in enumerate(keys):
        seen = bool(images) and read["h"][row] > 0 and read["image"][row] is not None
        pictured[key] = pictured.get(key, False) or seen
    starts = sorted(pictured)
    drawn = [starts[index] for index in np.random.default_rng(seed).permutation(len(starts))]
    first = sorted(drawn, key=lambda key: not pictured[key])[:count]
    return sorted(first)
