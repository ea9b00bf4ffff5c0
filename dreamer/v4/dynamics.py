"""The dynamics transformer: predicts clean latents of each frame from noised ones and the past.

A frame's slots are action, shortcut (signal level and step), spatial, register, agent. The action
of frame t is the one that led to it, so no frame knows what was chosen on seeing it.
In the shapes, S spatial tokens of D channels, d the width.
"""

import jax.numpy as jnp
import numpy as np

from dreamer import nets
from dreamer.v4 import attention, masks, transformer
from dreamer.v4 import config as configs

PARTS = ("action", "shortcut", "spatial", "register", "agent")


def shapes(config):
    """{name: Leaf} of the transformer, the agent's tokens included; it starts predicting zero."""
    o, slots = config.dyn, config.slots
    half, learned = o.width // 2, transformer.learned
    found = learned("dyn/action/base", (slots.action, o.width), 0.5)
    found |= _action_shapes(config)
    found |= learned("dyn/shortcut/level", (o.kmax, half), 0.5)
    found |= learned("dyn/shortcut/step", (config.finest + 1, o.width - half), 0.5)
    found |= nets.linear_shapes("dyn/spatial/in", config.packed, o.width)
    found |= learned("dyn/spatial/slot", (slots.spatial, o.width), 0.5)
    found |= learned("dyn/register/slot", (slots.register, o.width), 0.1)
    found |= learned("dyn/agent/base", (slots.agent, o.width), 0.05)
    found |= learned("dyn/agent/task", (config.head.tasks, o.width), 0.05)
    found |= transformer.shapes("dyn", stack(config))
    found |= nets.norm_shapes("dyn/norm", o.width)
    return found | nets.linear_shapes("dyn/spatial/out", o.width, config.packed, outscale=0.0)


def stack(config):
    """The transformer's Stack."""
    o = config.dyn
    return transformer.Stack(o.layers, o.width, o.heads, o.kv_heads, o.softcap, o.gain)


def forward(values, config, z, level, step, action, known, image_row=None, segment=None,
            taps=False, agent=True, task=0):  # fmt: skip
    """Clean latents [B, T, S, D] and the agent's state h [B, T, d] (None without agent), float32.

    z [B, T, S, D] noised to the signal level / kmax [B, T], for steps of 2**-step [B, T]; action
    [B, T] or [B, T, A], used where known [B, T]. Rows of image_row [B] are unrelated images without
    actions; frames see only their own segment [B, T]. task: a number, or one per row [B].
    With taps also {dyn/L{l}/{part}: [B, T, slots, d]}, where L0 is the embedding.
    """
    if image_row is not None:
        known = known & ~image_row[:, None]
    x = embed(values, config, z, level, step, action, known, agent, task)
    space = masks.space(config.slots, agent)
    time = masks.time(x.shape[1], config.dyn.window, segment, image_row)
    found = transformer.run(values, "dyn", stack(config), x, space, time)
    out = read(values, config, found[-1], agent)
    return (*out, parts(config, found, agent)) if taps else out


def embed(values, config, z, level, step, action, known, agent=True, task=0):
    """Tokens [B, T, slots, d] of all frames; arguments as for `forward`."""
    kind, width = configs.dtype(config), config.dyn.width
    lead = z.shape[:2]
    led = jnp.where(known[..., None], _action(values, config, action), 0)[:, :, None]
    led = led + values["dyn/action/base"]
    shortcut = values["dyn/shortcut/level"][level], values["dyn/shortcut/step"][step]
    spatial = nets.linear(nets.cast(values, kind), "dyn/spatial/in", z)
    spatial = spatial + values["dyn/spatial/slot"].astype(kind)
    tokens = [led, jnp.concatenate(shortcut, -1)[:, :, None], spatial, values["dyn/register/slot"]]
    if agent:
        tasks = values["dyn/agent/task"][jnp.asarray(task)].reshape(-1, 1, 1, width)
        tokens.append(values["dyn/agent/base"] + tasks)
    whole = [jnp.broadcast_to(x.astype(kind), (*lead, *x.shape[-2:])) for x in tokens]
    return jnp.concatenate(whole, 2)


def read(values, config, x, agent=True):
    """Clean latents [..., S, D] and h [..., d] (None without agent) of the last layer's tokens."""
    x = attention.norm(x, values["dyn/norm/scale"])
    split = _split(config, x, agent)
    clean = nets.linear(nets.cast(values, x.dtype), "dyn/spatial/out", split["spatial"])
    h = split["agent"][..., 0, :].astype(jnp.float32) if agent else None
    return clean.astype(jnp.float32), h


def parts(config, found, agent=True):
    """{dyn/L{l}/{part}: [..., slots, d]} of the tokens after each layer."""
    return {
        f"dyn/L{index}/{name}": part
        for index, x in enumerate(found)
        for name, part in _split(config, x, agent).items()
    }


def _split(config, x, agent):
    """{part: its tokens [..., slots, d]}."""
    counts = config.slots if agent else config.slots[:-1]
    pieces = jnp.split(x, np.cumsum(counts)[:-1], -2)
    return dict(zip(PARTS, pieces, strict=False))


def _action_shapes(config):
    """A table for categories; a matrix for numbers."""
    space, width = config.action, config.dyn.width
    if space.classes:
        return transformer.learned("dyn/action/table", (space.classes, width), 0.5)
    return transformer.kernel("dyn/action", int(np.prod(space.shape)), width)


def _action(values, config, action):
    """Vectors [B, T, d] of actions."""
    if config.action.classes:
        return values["dyn/action/table"][action]
    flat = action.reshape(*action.shape[:2], -1).astype(jnp.float32)
    return nets.dot(flat, values["dyn/action/kernel"])
