"""Long free runs: does what the model imagines stay like what is real?

The policy acts and nothing is seen after the first frames. In the shapes, B is runs, F frames.
"""

import numpy as np

from dreamer import scores
from dreamer.v4 import foreseen

CHUNK = 16  # frames that count as one piece
UNITS = 16  # principal components of a piece's latents, of the real ones
STATISTICS = ("brightness", "contrast", "sharpness", "change")


def measure(model, episodes, options, context):
    """{chunks: {statistic: [value per piece of CHUNK frames]}, real: {statistic: (mean, std)},
    frechet: {...}} of free runs from held-out frames."""
    rng = np.random.default_rng([options["seed"], 2])
    real = _real(model, episodes, rng, options["free_runs"])
    first = episodes.windows(episodes.draw(rng, options["free_runs"], context), context)
    z = model.latents(first["image"])
    past, key = (z, first["action"], first["known"]), foreseen.keys(options["seed"], len(z))
    steps = -(-options["free_steps"] // CHUNK) * CHUNK
    dreamt = np.asarray(model.future(past, None, key, steps)["z"])
    seen = np.concatenate([np.asarray(model.pictures(run[None])) for run in dreamt])
    pieces = seen.reshape(len(seen), -1, CHUNK, *seen.shape[2:])
    chunks = {
        name: [float(statistics(pieces[:, piece])[name].mean()) for piece in range(steps // CHUNK)]
        for name in STATISTICS
    }
    free = dreamt.reshape(-1, CHUNK, dreamt.shape[2] * dreamt.shape[3])
    return {"chunks": chunks, "real": real["statistics"], "frames": steps,
            "frechet": distances(real["z"], free)}  # fmt: skip


def _real(model, episodes, rng, count):
    """Statistics and latents of real pieces, as many as free runs and more for two halves."""
    length = int(min(CHUNK, episodes.length.max()))
    places = episodes.draw(rng, 4 * count, length)
    rows = {"image": episodes.windows(places, length)["image"]}
    z, found = [], {name: [] for name in STATISTICS}
    for batch, used in foreseen.batches(rows):
        z.append(np.asarray(model.latents(batch["image"]))[:used])
        for name, values in statistics(np.asarray(model.truth(batch["image"]))).items():
            found[name].append(values[:used])
    z = np.concatenate(z)
    told = {name: np.concatenate(values) for name, values in found.items()}
    spread = {name: (float(values.mean()), float(values.std())) for name, values in told.items()}
    return {"z": z.reshape(*z.shape[:2], -1), "statistics": spread}


def statistics(images):
    """{name: [B]} of pieces of films [B, F, h, w, 3] from 0 to 1."""
    edges = sum(np.abs(np.diff(images, axis=axis)).mean((1, 2, 3, 4)) for axis in (2, 3)) / 2
    change = np.abs(np.diff(images, axis=1))
    return {
        "brightness": images.mean((1, 2, 3, 4)),
        "contrast": images.std((2, 3, 4)).mean(1),
        "sharpness": edges,
        "change": change.mean((1, 2, 3, 4)) if change.size else np.zeros(len(images)),
    }


def distances(real, free):
    """Fréchet distances of pieces [N, F, units] to real ones: of others that are real, of free
    runs, and of real ones that stand still.

    A piece is the mean of its latents and how much they change from frame to frame, in UNITS
    principal components of the real pieces.
    """
    half = len(real) // 2
    still = np.repeat(real[half:, :1], real.shape[1], 1)
    clouds = {"real": real[:half], "other real": real[half:], "free": free, "still": still}
    told = {name: _features(cloud) for name, cloud in clouds.items()}
    middle, scale = told["real"].mean(0), told["real"].std(0) + 1e-6
    told = {name: (cloud - middle) / scale for name, cloud in told.items()}
    count = min(UNITS, half - 1)
    axes = np.linalg.svd(told["real"], full_matrices=False)[2][:count].T
    flat = {name: cloud @ axes for name, cloud in told.items()}
    return {name: scores.frechet(flat["real"], flat[name])
            for name in ("other real", "free", "still")}  # fmt: skip


def _features(pieces):
    moved = np.abs(np.diff(pieces, axis=1)).mean(1) if pieces.shape[1] > 1 else 0 * pieces[:, 0]
    return np.concatenate([pieces.mean(1), moved], 1)


def far(found):
    """{statistic: distance of the last piece to the real mean, in standard deviations of these}."""
    return {
        name: abs(found["chunks"][name][-1] - mean) / max(std, 1e-6)
        for name, (mean, std) in found["real"].items()
    }
