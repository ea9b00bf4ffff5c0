"""Do the heads know what comes: rewards, and the end of an episode, of held-out frames as seen."""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import scores
from dreamer.v4 import foreseen

NAMES = ("image", "action", "known", "reward", "reward_known", "is_terminal", "valid")


def windows(episodes, options, context):
    """Windows that show every frame once with its past, up to options["windows"] of them.

    They overlap by `context` frames, of which only an episode's first ones count; `counts` [N, T].
    """
    length = context + options["horizon"]
    places = np.array([
        (episode, row)
        for episode, rows in enumerate(episodes.length)
        for row in range(0, max(1, rows - context), options["horizon"])
    ])  # fmt: skip
    most = min(options["windows"], len(places))
    places = places[np.linspace(0, len(places) - 1, most).astype(int)]
    found = episodes.windows(places, length)
    old = np.arange(length) < context
    counts = found["valid"] & ~(old & (places[:, 1:] > 0))
    return {name: found[name] for name in NAMES} | {"counts": counts}


def measure(model, rows, seed):
    """{reward: {...}, continue: {...}} of what the heads expect beside what came."""
    rows = rows | {"key": np.asarray(jax.random.key_data(foreseen.keys(seed, len(rows["action"]))))}
    parts = []
    for batch, count in foreseen.batches(rows):
        key = jax.random.wrap_key_data(jnp.asarray(batch["key"]))
        z = model.latents(batch["image"])
        found = model.told(z, batch["action"], batch["known"], key)
        parts.append([np.asarray(value)[:count] for value in found])
    reward, go_on = (np.concatenate(values) for values in zip(*parts, strict=True))
    came = rows["counts"] & rows["reward_known"]
    counts = rows["counts"]
    return {
        "reward": of_reward(reward[came], rows["reward"][came]),
        "continue": of_end(1 - go_on[counts], rows["is_terminal"][counts]),
    }


def of_reward(expected, came):
    """Of expected and received rewards [N]: events are rewards other than zero."""
    bins = scores.calibration(expected, came)
    gaps = [abs(item["expected"] - item["found"]) * item["count"] for item in bins]
    return {
        "auroc": scores.auroc(np.abs(expected), came != 0),
        "pearson": scores.pearson(expected, came),
        "calibration": bins,
        "calibration_error": float(sum(gaps) / max(1, len(came))),
        "spread": float(np.abs(came - came.mean()).mean()) if len(came) else float("nan"),
        "rate": float((came != 0).mean()) if len(came) else float("nan"),
        "frames": len(came),
    }


def of_end(expected, ended):
    """Of the expected chance that the episode ends here, and whether it did, [N]."""
    return {
        "auroc": scores.auroc(expected, ended),
        "rate": float(ended.mean()),
        "expected": float(expected.mean()),
        "ends": int(ended.sum()),
        "frames": len(ended),
    }
