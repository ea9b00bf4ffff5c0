"""What position decoding writes: one row per decoded step, and the facts of the split.

In the shapes, Q is test steps.
"""

import numpy as np

from analysis import errors, geodesic

COLUMNS = (
    *("network", "representation", "method", "fold", "episode", "step", "true_x", "true_y"),
    *("x", "y", "p", "entropy", "error", "moves"),
)


def steps(plan, network, name, method, values, ground):
    """{column: [Q]}: where the agent was, what was guessed, and how far apart they are.

    `network` is "trained" or "untrained".
    """
    rows, truth = plan.tested, plan.test.position[plan.tested]
    guess = np.stack([values["x"], values["y"]], 1)
    return {
        "network": np.full(len(rows), network),
        "representation": np.full(len(rows), name),
        "method": np.full(len(rows), plan.label(method)),
        "fold": plan.fold,
        "episode": plan.test.episode[rows],
        "step": plan.test.step[rows],
        "true_x": truth[:, 0],
        "true_y": truth[:, 1],
        **values,
        "error": errors.euclidean(guess, truth),
        "moves": geodesic.lengths(ground, guess),
    }


def join(tables):
    """One table {column: [rows]} from several, empty where there are none."""
    return {name: np.concatenate([table[name] for table in tables] or [[]]) for name in COLUMNS}


def facts(plan, options):
    """What was trained and tested on, and how often a test tile was new."""
    unseen = [_unseen(plan, *fold) for fold in plan.folds]
    return {
        "split": options["split"],
        "leaky": plan.leaky,
        "tested_on": "trajectory" if plan.test is plan.train else "test",
        "training_steps": [len(rows) for rows, _ in plan.folds],
        "test_steps": len(plan.tested),
        "test_episodes": len(np.unique(plan.test.episode[plan.tested])),
        "unseen_share": float(np.concatenate(unseen).mean()) if unseen else None,
    }


def _unseen(plan, fitted, held):
    tiles = np.unique(plan.train.position[fitted], axis=0)
    return errors.columns(tiles, plan.test.position[held]) < 0
