"""A few clips as rows of images: truth, reconstruction, and what is foreseen in three ways.

Clips, noise and order of rows follow from data and seed, so checkpoints can be set side by side.
In the shapes, E is clips, C frames before the future, H foreseen ones.
"""

import jax.numpy as jnp
import numpy as np

from dreamer import png
from dreamer.v4 import foreseen

ROWS = ("truth", "reconstruction", "true actions", "shuffled actions", "policy")
KIND = "world_model_clips"


def columns(model, clips, options, context, heads):
    """{column: [E x rows x (C + H)]} for `trajectory.write_log`; step 0 is the last frame seen.

    `action` is the one that led to the frame, as text where it is several numbers; reward and
    go_on are expected by the heads, null where these are not trained (`heads` false).
    """
    count = min(options["examples"], len(clips["action"]), foreseen.BATCH)
    other = foreseen.hidden(clips["action"][:, context:], options["seed"])["across"]
    some = {name: clips[name] for name in ("image", "action", "known")} | {"other": other}
    some, _ = next(foreseen.batches(some))  # a shape for which all is compiled already
    actions, length = some["action"], some["action"].shape[1]
    key = foreseen.keys(options["seed"], len(actions))
    z = model.latents(some["image"])
    past = z[:, :context], actions[:, :context], some["known"][:, :context]
    asked = {ROWS[2]: actions[:, context:], ROWS[3]: some["other"]} | (
        {ROWS[4]: None} if heads else {}
    )
    seen = {ROWS[0]: (model.truth(some["image"]), actions, None),
            ROWS[1]: (model.pictures(z), actions, None)}  # fmt: skip
    for name, ahead in asked.items():
        told = model.future(past, ahead, key, length - context)
        images = model.pictures(jnp.concatenate([z[:, :context], told["z"]], 1))
        taken = np.concatenate([actions[:, :context], np.asarray(told["action"])], 1)
        seen[name] = images, taken, told if heads else None
    parts = [
        _rows(clip, name, context, some["known"][clip], *(x[clip] for x in seen[name][:2]),
              seen[name][2])
        for clip in range(count)
        for name in seen
    ]  # fmt: skip
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _rows(clip, name, context, known, images, actions, told):
    """One film of C + H frames."""
    count = len(images)
    images = np.round(255 * np.clip(np.asarray(images, np.float64), 0, 1)).astype(np.uint8)
    expected = {"reward": [None] * count, "go_on": [None] * count}
    for what in expected if told else ():
        expected[what][context:] = np.asarray(told[what][clip], float).tolist()
    known = known | (np.arange(count) >= context)
    return {
        "clip": [clip] * count,
        "row": [name] * count,
        "step": list(range(1 - context, count - context + 1)),
        "action": [_word(action) if yes else None
                   for action, yes in zip(np.asarray(actions), known, strict=True)],
        **expected,
        "image": [png.encode(image) for image in images],
    }  # fmt: skip


def _word(action):
    """Index of a class, or numbers, as text."""
    return str(int(action)) if action.ndim == 0 else " ".join(f"{number:.2f}" for number in action)
