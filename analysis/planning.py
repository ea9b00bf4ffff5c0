"""Which steps train a position decoder and which test it; the same for every representation.

In the shapes, T is steps of the training recording, Q test steps (all folds one after another).
"""

from typing import NamedTuple

import numpy as np

from analysis import pairs, recording, splits
from jobs.errors import Refused


class Plan(NamedTuple):
    """The two recordings, cut to the episodes in use, and rows of them."""

    train: recording.Recording  # whole episodes after min_bbox and max_samples
    test: recording.Recording  # the same object where the folds are its own
    folds: list  # [(rows of train, rows of test)]
    rows: np.ndarray  # rows of train on which the final decoders are fitted
    tested: np.ndarray  # [Q] rows of test
    fold: np.ndarray  # [Q]
    floor: np.ndarray  # [Q] walkable tiles, which share the floor of the cross-entropy
    leaky: bool = False  # neighbouring steps stand in both train and test

    def label(self, method):
        """The method's name wherever its held-out numbers are shown."""
        return f"{method} (leaky)" if self.leaky else method


def make(train, test, options):
    """Plan for a split: `episodes` (folds), `holdout`, or `test` (the other recording)."""
    refuse_leaky_elsewhere(options)
    if options["split"] == "test":
        pairs.refuse_untestable(train.path, test.path)
    whole, kept = _sample(train, options)
    train, rows = recording.take(train, whole), np.searchsorted(whole, kept)
    leaky = options["cv"] == "timestep"
    if options["split"] == "test":
        held = _sample(test, options)[1]
        test = recording.take(test, held)
        folds = [(rows, np.arange(len(held)))] if len(rows) and len(held) else []
    else:
        test = train
        found = _folds(train.episode[rows], options)
        folds = [(rows[fitted], rows[held]) for fitted, held in found]
    return _joined(train, test, folds, rows, leaky)


def foreign(position, test):
    """Plan that tests decoders made elsewhere: training positions [T, 2] are all that is known."""
    count = len(position)
    blank = np.zeros(count, int)
    train = test._replace(episode=blank, step=blank, position=position, rows=np.arange(count))
    folds = [(np.arange(count), np.arange(len(test.position)))]
    return _joined(train, test, folds, np.arange(count), False)


def twin(plan, paths, known):
    """The same plan on recordings of an untrained network, or a refusal where rows differ.

    `paths` and `known` are {"trajectory": ..., "test": ...}: files, and the whole recordings that
    they must repeat. The test file is needed only where the plan tests on it.
    """
    needed = {"trajectory": plan.train}
    if plan.test is not plan.train:
        needed["test"] = plan.test
    if "test" in needed and not paths["test"]:
        raise Refused(
            "split is test, so the untrained network needs both recordings; give --untrained-test "
            "too, or decode with split: episodes"
        )
    cut = {}
    for name, own in needed.items():
        other = recording.load(paths[name])
        recording.refuse_unlike(known[name], other)
        cut[name] = recording.take(other, own.rows)
    return plan._replace(train=cut["trajectory"], test=cut.get("test", cut["trajectory"]))


def refuse_leaky_elsewhere(options):
    """Shuffled steps are folds of one recording; asking for them elsewhere is a mistake."""
    if options["cv"] == "timestep" and options["split"] != "episodes":
        raise Refused(
            "position.cv is timestep, which shuffles the steps of one recording, but "
            f"position.split is {options['split']}; set split to episodes, or cv to episode"
        )


def floor_tiles(found, rows):
    """Walkable tiles [Q] at reset of each row's episode; the whole area without terrain."""
    if not found.walkable:
        return np.full(len(rows), np.prod(found.header["area"]))
    counts = {name: np.count_nonzero(mask) for name, mask in found.walkable.items()}
    return np.array([counts[name] for name in found.episode[rows]], int)


def _folds(episode, options):
    if options["cv"] == "timestep":
        return splits.shuffled(len(episode), options["folds"], options["seed"])
    if options["split"] == "episodes":
        return splits.folds(episode, options["folds"])
    return splits.holdout(episode, options["holdout"], options["seed"])


def _joined(train, test, folds, rows, leaky):
    tested = np.concatenate([held for _, held in folds]) if folds else np.zeros(0, int)
    numbers = [np.full(len(held), index) for index, (_, held) in enumerate(folds)]
    fold = np.concatenate(numbers) if folds else tested
    return Plan(train, test, folds, rows, tested, fold, floor_tiles(test, tested), leaky)


def _sample(found, options):
    keep = splits.roomy(found.episode, found.position, options["min_bbox"])
    return splits.sample(found.episode, keep, options["max_samples"], options["seed"])
