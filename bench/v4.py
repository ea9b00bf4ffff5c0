"""Time DreamerV4: an update of each phase, imagined frames with and without cache, attention.

Everything on random data at the size of a preset; compilation apart. The share of peak counts 6
operations per weight and token of a training, 2 of a forward pass, attention itself not counted.
"""

import json
import math
import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from bench.update import PEAKS
from dreamer import checkpoint, options, spaces
from dreamer.v4 import (
    agent,
    attention,
    draws,
    dynamics,
    imagination,
    shortcut,
    steps,
    train_agent,
    train_dynamics,
    train_imagination,
    train_tokenizer,
)
from jobs import cli

PHASES = (train_tokenizer, train_dynamics, train_agent, train_imagination)
SIDE = {"t0": 16, "t1": 32}  # pixels; others: 64


def main(size: str = "t1", updates: int = 5, dtype: str = "auto", rollouts: int = 3):
    """Print seconds per update of each phase, imagined frames per second and more as JSON."""
    jax.config.update("jax_enable_compilation_cache", False)
    tree = options.resolve([size], {"agent": "v4", "task": "square", "dtype": dtype})
    side = SIDE.get(size, 64)
    image, action = spaces.Space((side, side, 3), "uint8"), spaces.Space((), "int32", 5)
    seen = spaces.Spaces((("image", image),), action)
    params = checkpoint.fresh(agent, tree, seen, 0).params
    counted = {name: math.prod(value.shape) for name, value in params.values.items()}
    found = {
        "size": size,
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "parameters": sum(counted.values()),
        "phases": {module.PHASE.name: phase(module.PHASE, params, updates) for module in PHASES},
        "imagination": imagined(params, rollouts),
        "attention": attended(params.config, rollouts),
    }
    peak = PEAKS.get(next((name for name in PEAKS if name in found["device"]), None))
    for name, told in found["phases"].items():
        told["share_of_bf16_peak"] = told["flops"] / told["seconds"] / peak if peak else None
        print(f"{name}: {told['seconds']:.3f} s per update", flush=True)
    print(json.dumps(found))


def timed(function, *arguments, count):
    """(first, median of the later) seconds of calls that are waited for."""
    spent = []
    for _ in range(count + 1):
        start = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        spent.append(time.perf_counter() - start)
    return spent[0], statistics.median(spent[1:])


def phase(what, params, count):
    """One update of a phase on a batch of noise."""
    config = params.config
    rows = batch(what, params)
    mine, fixed = steps.split(what, what.begin(params.values))
    state = steps.fresh(what, config, mine)
    update = jax.jit(partial(steps.update, what, config, 1))
    first, later = timed(update, state, fixed, rows, jax.random.key(0), count=count)
    return {"seconds": later, "compile_seconds": first - later,
            "batch": getattr(config, what.block).batch, "flops": flops(what, params)}  # fmt: skip


def batch(what, params):
    """Rows as the phase draws them, of noise."""
    config, rng = params.config, np.random.default_rng(0)
    block = getattr(config, what.block)
    count = block.batch
    if what.block == "tok":
        shape = (count, block.length, *config.observed)
        return {"images": rng.integers(0, 256, shape, np.uint8)}
    length = config.imag.context if what.block == "imag" else block.length
    ahead = config.head.mtp - 1 if what.block == "head" else 0
    z = rng.uniform(-1, 1, (count, length, config.tok.latents, config.tok.channels))
    led = rng.integers(0, 5, (count, length)).astype(np.int32)
    yes = np.ones((count, length), bool)
    rows = {"z": z.astype(np.float32), "led": led, "known": yes, "valid": yes}
    rows |= {"image_row": np.zeros(count, bool)} if what.block != "imag" else {}
    wide = np.ones((count, length + ahead), bool)
    targets = {"action": rng.integers(0, 5, wide.shape).astype(np.int32), "action_known": wide}
    targets |= {"reward": np.zeros(wide.shape, np.float32), "reward_known": wide}
    targets |= {"go_on": np.ones(wide.shape, np.float32), "go_on_known": wide}
    return rows | (targets if ahead else {})


def imagined(params, count):
    """Frames per second of a rollout with the cache, and by computing the window anew each time."""
    values, config = params.values, params.config
    size, horizon = config.imag.batch, config.imag.length
    keys = jax.random.split(jax.random.key(0), size)
    shape = size, config.imag.context, config.slots.spatial, config.packed
    z = jax.random.normal(jax.random.key(1), shape)
    yes = jnp.ones(shape[:2], bool)
    frames = imagination.Frame(z, jnp.zeros(shape[:2], jnp.int32), yes, yes)

    @jax.jit
    def cached(values, frames):
        cache, h = imagination.recall(values, config, frames)
        return imagination.rollout(values, config, cache, h, keys, horizon)[0]["z"]

    anew = jax.jit(partial(recomputed, config=config, horizon=horizon))
    found = {}
    for name, function in (("cached", cached), ("recomputed", anew)):
        first, later = timed(function, values, frames, count=count)
        found[name] = {"frames_per_second": size * horizon / later, "seconds": later,
                       "compile_seconds": first - later}  # fmt: skip
    ratio = found["cached"]["frames_per_second"] / found["recomputed"]["frames_per_second"]
    return found | {"times_faster": ratio, "rollouts": size, "horizon": horizon}


def recomputed(values, frames, config, horizon):
    """The same number of frames [B, H, S, D], each from a pass over the whole window per rung."""
    rungs, size = config.dyn.rungs, len(frames.z)
    window = min(config.dyn.window, config.imag.context + horizon)
    pad = window - 1 - config.imag.context
    past = jnp.pad(frames.z, ((0, 0), (max(pad, 0), 0), (0, 0), (0, 0)))[:, -(window - 1) :]
    led = jnp.zeros((size, window), jnp.int32)
    known = jnp.ones((size, window), bool)
    key = jax.random.split(jax.random.key(2), size)

    def frame(past, _):
        def model(z, level, step, agent=False):
            whole = jnp.concatenate([past, z[:, None]], 1)
            last = jnp.arange(window) == window - 1
            levels = jnp.where(last, level, config.context) * jnp.ones((size, 1), jnp.int32)
            steps = jnp.where(last, step, config.finest) * jnp.ones((size, 1), jnp.int32)
            return dynamics.forward(values, config, whole, levels, steps, led, known, agent=agent)

        noise = draws.normal(key, past.shape[2:])
        z = shortcut.sample(lambda z, *labels: model(z, *labels)[0][:, -1], noise, rungs,
                            config.dyn.kmax)  # fmt: skip
        _, h = model(z, config.context, config.finest, agent=True)
        return jnp.concatenate([past[:, 1:], z[:, None]], 1), (z, h[:, -1])

    return jax.lax.scan(frame, past, None, length=horizon)[1]


def attended(config, count):
    """Seconds of forward and backward of space attention of a dynamics batch, by implementation."""
    o, slots = config.dyn, sum(config.slots)
    rows = o.batch * o.length
    shape = rows, slots, o.heads, o.width // o.heads
    query, key, value = (jax.random.normal(jax.random.key(index), shape) for index in range(3))
    mask = jnp.ones((1, slots, slots), bool)
    forms = {
        "own, capped": lambda q, k, v: attention.attention(q, k, v, mask, 50.0),
        "own": lambda q, k, v: attention.attention(q, k, v, mask, 0.0),
        "jax.nn.dot_product_attention": lambda q, k, v: jax.nn.dot_product_attention(
            q, k, v, mask=mask[:, None]
        ),
    }
    found = {}
    for name, form in forms.items():
        pull = jax.jit(jax.grad(lambda q, k, v, form=form: form(q, k, v).sum(), (0, 1, 2)))
        found[name] = timed(pull, query, key, value, count=5 * count)[1]
    return found | {"shape": shape}


def flops(what, params):
    """Operations of an update: weights times tokens, times 6 trained, 2 only passed through."""
    config = params.config
    sizes = {name: math.prod(value.shape) for name, value in params.values.items()
             if name.endswith("kernel")}  # fmt: skip
    parts = {part: sum(size for name, size in sizes.items() if name.startswith(part))
             for part in ("tok/enc/layer", "tok/dec/layer", "dyn/layer")}  # fmt: skip
    block = getattr(config, what.block)
    if what.block == "tok":
        tokens = block.batch * block.length * (config.patches + config.tok.latents)
        return 6 * tokens * (parts["tok/enc/layer"] + parts["tok/dec/layer"])
    frames = block.batch * (block.length if what.block != "imag" else 0)
    if what.block == "imag":
        frames = block.batch * (block.length * (config.dyn.rungs + 1) + block.context)
        return 2 * frames * sum(config.slots) * parts["dyn/layer"]
    return (6 + 4) * frames * sum(config.slots) * parts["dyn/layer"]


if __name__ == "__main__":
    cli.run(main)
