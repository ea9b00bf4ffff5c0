"""How good and how fast is the classifier of positions, beside two rivals?

They are scikit-learn's and the published decoder. `python -m bench.decoding` fits on the reference
recordings where they are (DREAM_ATLAS_REFERENCE or ../shared/data), else on a synthetic one, and
prints one line of JSON. Seconds are of CPU time in this process. The published decoder runs 50 of
its 5,000 iterations, and its time is scaled up.
"""

import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from analysis import (
    chance,
    decoders,
    errors,
    fitting,
    planning,
    prnn,
    recording,
    ridge,
    robust,
    splits,
)
from dreamer import import_trajectories, trajectory
from tests import synthetic

ROOT = Path(__file__).resolve().parent.parent
LAYER, FOLDS, ITERATIONS = "dyn/deter", 5, 50
OPTIONS = {
    "ridge_strengths": np.logspace(-5, 3, 9).tolist(),
    "robust_strengths": np.logspace(-3, 2, 6).tolist(),
    "tolerance": 3e-4, "n_iters": 5000, "patience": 0, "seed": 0,
}  # fmt: skip


def recorded(folder):
    """(path of a recording, what it is)."""
    data = Path(os.environ.get("DREAM_ATLAS_REFERENCE", ROOT.parent / "shared/data"))
    path = Path(folder) / "trajectory.parquet"
    if (data / "reference_trajectories").is_dir():
        import_trajectories.main(path, data / "reference_trajectories", "true")
        return path, "reference recordings (that agent was told its position)"
    layers = {LAYER: synthetic.place_fields(256, 3.0)}
    synthetic.recording(path, 20, 150, (16, 16), layers=layers)
    return path, "synthetic recording"


def data(path):
    """(Data of the layer, walkable tiles or all)."""
    read = recording.load(path)
    activity = recording.activity(path, [LAYER])
    area = tuple(trajectory.header(path)["area"])
    found = fitting.Data(activity, read.position, read.episode, area)
    return found, planning.floor_tiles(read, np.arange(len(activity))).mean()


def timed(function, *arguments):
    """(CPU seconds, result)."""
    start = time.process_time()
    found = function(*arguments)
    return time.process_time() - start, found


def ours(train, rotated, score):
    """Bits at our best strength on the held-out steps."""
    basis, labels, count = train
    inner = (basis.rotated, basis.values, labels)
    settings = (OPTIONS["robust_strengths"], OPTIONS["tolerance"], score)
    return robust.choose(inner, rotated, count, *settings).score


def theirs(train, rotated, score):
    """Bits of scikit-learn's classifier at its best strength on the held-out steps.

    In double precision and to a tight tolerance: in single precision, as by default at strong
    penalties, it stops short of the solution, by up to 0.007 bits to either side.
    """
    basis, labels, _ = train
    activity, values = basis.rotated.astype(float), []
    for strength in OPTIONS["robust_strengths"]:
        rival = LogisticRegression(C=1 / (strength * len(labels)), tol=1e-5, max_iter=5000)
        values.append(score(rival.fit(activity, labels).predict_proba(rotated)))
    return min(values)


def classifiers(found, floor):
    """Held-out bits and seconds of both, fold by fold, each at its best strength of one grid."""
    lines = []
    for train, held in splits.folds(found.episode, FOLDS):
        basis = ridge.basis(found.activity[train])
        tiles, labels = fitting.classes(found.position[train])
        own = errors.columns(tiles, found.position[held])
        rotated = ridge.rotate(basis, found.activity[held])

        def score(probabilities, own=own):
            return float(errors.cross_entropy(errors.own(probabilities, own), floor).mean())

        arguments = ((basis, labels, len(tiles)), rotated, score)
        lines.append([*timed(ours, *arguments), *timed(theirs, *arguments)])
    seconds, bits, rival_seconds, rival_bits = np.array(lines).T
    return {
        "robust_bits": bits.round(4).tolist(),
        "scikit_learn_bits": rival_bits.round(4).tolist(),
        "difference_bits_mean": round(float((bits - rival_bits).mean()), 4),
        "difference_bits_worst_fold": round(float((bits - rival_bits).max()), 4),
        "robust_search_s": round(float(seconds.sum()), 2),
        "scikit_learn_search_s": round(float(rival_seconds.sum()), 2),
    }


def published(found, floor):
    """Seconds of a whole fit of each: strength search and solution, against 5,000 iterations."""
    train = found.at(splits.folds(found.episode, FOLDS)[0][0])
    quick, _ = timed(fitting.fit, ("robust",), (LAYER,), train, OPTIONS, floor)
    labels = train.position[:, 0] * train.area[1] + train.position[:, 1]
    short = OPTIONS | {"n_iters": ITERATIONS}
    slow, _ = timed(prnn.train, train.activity, labels, int(np.prod(train.area)), short)
    whole = slow * OPTIONS["n_iters"] / ITERATIONS
    return {
        "robust_fit_s": round(quick, 2),
        "prnn_50_iterations_s": round(slow, 2),
        "prnn_5000_iterations_s_scaled": round(whole, 1),
        "prnn_over_robust": round(whole / quick, 1),
    }


def leakage(found):
    """Mean error of ridge by episode and with shuffled steps, and of a constant guess, in tiles."""
    folds = splits.folds(found.episode, FOLDS)
    shuffled = splits.shuffled(len(found.episode), FOLDS, 0)
    level = [
        errors.euclidean(
            chance.constants(found.position[a])["mean Euclidean error"], found.position[b]
        )
        for a, b in folds
    ]
    return {
        "ridge_by_episode_tiles": round(_ridge_error(found, folds), 2),
        "ridge_shuffled_steps_tiles": round(_ridge_error(found, shuffled), 2),
        "best_constant_tiles": round(float(np.concatenate(level).mean()), 2),
    }


def _ridge_error(found, folds):
    gaps = []
    for train, held in folds:
        decoder = fitting.fit(("ridge",), (LAYER,), found.at(train), OPTIONS, 1)["ridge"]
        guess = decoders.apply(decoder, found.activity[held]).point
        gaps.append(errors.euclidean(guess, found.position[held]))
    return float(np.concatenate(gaps).mean())


def main():
    """Fit, compare, print."""
    warnings.simplefilter("error")  # a rival that did not converge would be no rival
    with tempfile.TemporaryDirectory() as folder:
        path, what = recorded(folder)
        found, floor = data(path)
    facts = {"data": what, "steps": len(found.episode), "units": found.activity.shape[1]}
    facts |= leakage(found) | classifiers(found, floor) | published(found, floor)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
