"""What could be known about position without a trained network: images, time, past actions.

A layer that tells no more than these has learned nothing about space. In the shapes, T is steps.
"""

import io

import numpy as np
from PIL import Image
from sklearn.decomposition import PCA

from dreamer import trajectory

PIXELS, CLOCK = "pixels (PCA)", "clock"
TOKENS = "enc/tokens"
FITTED = 2000  # images that the principal components are found on
BATCH = 1000  # images in memory as numbers at a time
BUMPS = 32


def name(control, options):
    """How a control of the options is called in tables and figures."""
    actions = f"last {options['last_actions']} actions"
    return {"pixels": PIXELS, "clock": CLOCK, "actions": actions, "tokens": TOKENS}[control]


def lacking(control, *paths):
    """The column that a control needs and one of the recordings lacks, or None."""
    needed = {"pixels": "image", "actions": "action"}.get(control)
    known = all(trajectory.has(path, needed) for path in paths) if needed else True
    return None if known else needed


def read(control, plan, options, fitted=None):
    """(training activity, test activity) of a control for the rows of a plan.

    `fitted` are the rows from which the axes of images are found (default: all for training).
    """
    recordings = [plan.train] if plan.test is plan.train else [plan.train, plan.test]
    if control == "clock":
        longest = plan.train.step.max()
        found = [bumps(item.step, longest) for item in recordings]
    elif control == "actions":
        count = options["last_actions"]
        found = [past(item.path, count, classes(item.header), item.rows) for item in recordings]
    else:
        axes = components(plan, options, fitted)
        found = [project(axes, item) for item in recordings]
    return found[0], found[-1]


def bumps(step, longest):
    """[T, BUMPS] Gaussian bumps over the square root of the step: finer soon after reset.

    That is where the spawn point tells the most about where the agent can be.
    """
    centres = np.linspace(0, np.sqrt(max(longest, 1)), BUMPS)
    gap = (np.sqrt(step)[:, None] - centres) / (centres[1] - centres[0])
    return np.exp(-(gap**2) / 2).astype(np.float32)


def classes(header):
    """How many categories an action of a recording has, 0 where it is numbers."""
    single = len(header["actions"]) if "action_width" not in header else 0
    return header.get("action_classes", single)


def past(path, count, classes, rows):
    """[T, count * width] of the actions that led here, the latest first: one-hot, or numbers.

    The action of a row is chosen after it, so its history begins one row before; what lies before
    the reset is zeros.
    """
    read = trajectory.read(path, ["episode", "action"])
    episode, action = read["episode"], read["action"]
    if classes:
        action = (action[..., None] == np.arange(classes)).reshape(len(action), -1)
    found = np.zeros((len(rows), count, action.shape[1]), np.float32)
    for back in range(1, count + 1):
        source = rows - back
        known = (source >= 0) & (episode[np.maximum(source, 0)] == episode[rows])
        found[known, back - 1] = action[source[known]]
    return found.reshape(len(rows), count * action.shape[1])


def components(plan, options, fitted=None):
    """PCA of images of the training recording, of its rows `fitted` alone; it sees no positions."""
    rng = np.random.default_rng(options["seed"])
    rows = plan.train.rows if fitted is None else plan.train.rows[fitted]
    some = np.sort(rng.choice(rows, min(FITTED, len(rows)), replace=False))
    pictures = images(plan.train.path, some)
    count = min(options["pixel_components"], *pictures.shape)
    axes = PCA(count, svd_solver="randomized", random_state=options["seed"])
    with np.errstate(invalid="ignore"):  # images that are all alike have no variance to share out
        return axes.fit(pictures)


def project(axes, found):
    """Principal components [T, n] of the images of a recording's rows."""
    made = np.empty((len(found.rows), axes.n_components_), np.float32)
    for start in range(0, len(found.rows), BATCH):
        part = found.rows[start : start + BATCH]
        made[start : start + BATCH] = axes.transform(images(found.path, part))
    return made


def images(path, rows):
    """[T, pixels] float32 in 0..1."""
    stored = trajectory.read(path, ["image"], rows=rows)["image"]
    flat = [np.asarray(Image.open(io.BytesIO(item))).reshape(-1) for item in stored]
    return np.stack(flat).astype(np.float32) / 255
