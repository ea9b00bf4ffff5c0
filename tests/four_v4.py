"""Run with four simulated devices: prints how far DreamerV4's phases on them are from one."""

import json
import sys
import tempfile

import jax
import numpy as np
import optax

from dreamer import state as states
from dreamer.v4 import (
    agent,
    fitting,
    mesh,
    saves,
    steps,
    train_agent,
    train_dynamics,
    train_imagination,
    train_tokenizer,
)
from tests import toy_v4

BATCH, UPDATES = 8, 2
SMALL = {"tok__encoder": "S", "tok__decoder": "S", "dyn__layers": "ST", "head__layers": 1}
LAYOUTS = {
    "one": (1, 1, 1),
    "four": (4, 1, 1),
    "sharded": (4, 4, 1),
    "mixed": (4, 2, 2),
    "parts": (1, 1, 4),
}
MODULES = (train_tokenizer, train_dynamics, train_agent, train_imagination)
PHASES = {module.PHASE.name: module.PHASE for module in MODULES}


def main(*titles):
    jax.config.update("jax_num_cpu_devices", 4)
    mesh.SMALL = 64  # so that small arrays are split too
    found = {}
    for name, phase in PHASES.items():
        one = run(phase, "one")
        for title in titles:
            found[f"{name} {title}"] = distances(one, run(phase, title))
    imagined = BATCH * parameters().config.imag.length
    found["good"] = [round(imagined * float(metrics["imag/adv/positive"])) for _, metrics in one]
    found["moved"] = moved(PHASES["dynamics"], titles[0])
    print(json.dumps(found))


def run(phase, title, state=None, first=0):
    """[(state, metrics)] of updates from number `first` on, beginning with `state` or anew."""
    (count, fsdp, parts), params = LAYOUTS[title], parameters()
    config, devices = params.config, mesh.Devices(count, fsdp, BATCH, parts)
    mine, fixed = jax.device_get(steps.split(phase, phase.begin(params.values)))
    state = devices.place(jax.device_get(state or steps.fresh(phase, config, mine)))
    fixed, found = devices.place(fixed), []
    update, _ = fitting._programs(phase, config, parts, devices)
    for number in range(first, UPDATES):
        batch = devices.feed(rows(phase, config, number))
        key = jax.device_put(jax.random.key(number), devices.whole)
        state, metrics = update(state, fixed, batch, key)
        found.append(jax.device_get((state, metrics)))
    return found


def parameters():
    """Random ones, but with a likely reward and value near zero and episodes that go on."""
    params = toy_v4.params(imag__warmup_values=0, **SMALL)
    values, away = dict(params.values), np.abs(np.arange(255, dtype=np.float32) - 127)
    for name, slope in (("head/reward/out/bias", 3.0), ("head/value/out/bias", 0.5)):
        values[name] = np.resize(-slope * away, values[name].shape)
    values["head/continue/out/bias"] = np.full_like(values["head/continue/out/bias"], 3)
    return agent.Params(values, params.config)


def told(updates, sure):
    """{name: array} of what has to be equal: losses, the first gradient as a whole, parameters.

    The loss of the policy and its gradient are differences of means, so each as a part of all
    losses and of the whole gradient. Where the first gradient is lost in its tensor's rounding
    (not `sure`), Adam still makes whole steps of it, in any direction: these entries do not count.
    """
    found = {name: np.where(sure[name], x, 0) for name, x in updates[-1][0].values.items()}
    for number, (_, metrics) in enumerate(updates):
        losses = [metrics[name] for name in sorted(metrics) if name.startswith("loss/")]
        found[f"losses {number}"] = np.stack(losses)
    first = gradient(updates)
    return found | {"gradient": np.concatenate([first[name].ravel() for name in sorted(first)])}


def gradient(updates):
    """Adam's mean of the gradients {name: array} after the first update."""
    return optax.tree.get(updates[0][0].opt, "mu")


def moved(phase, title):
    """Whether a state saved on one layout has the same bits on a single device, and how far from
    going on there is from going on here."""
    state = run(phase, title)[0][0]
    with tempfile.TemporaryDirectory() as folder:
        saves.Saves(folder, {}).save(1, {}, states.arrays("state", state))
        _, arrays = saves.Saves(folder, {}).restore()
    again = states.tree("state", state, arrays)
    same = bool(jax.tree.all(jax.tree.map(np.array_equal, again, state)))
    here, there = (run(phase, *where, 1) for where in ((title, state), ("one", again)))
    return {"same": same, "distances": distances(here, there)}


def rows(phase, config, number):
    """A batch in which rows count for different amounts."""
    rng = np.random.default_rng([number, 5])
    if phase.name == "tokenizer":
        return {"images": rng.integers(0, 256, (BATCH, 2, *config.observed)).astype(np.uint8)}
    length = config.imag.context if phase.name == "imagination" else config.dyn.length
    shape = BATCH, length
    valid = np.arange(length) >= rng.integers(0, length, (BATCH, 1))
    z = rng.uniform(-1, 1, (*shape, config.tok.latents, config.tok.channels)).astype(np.float32)
    led = rng.integers(0, toy_v4.ACTIONS, shape)
    found = {"z": z, "led": led, "known": valid & (rng.random(shape) < 0.8), "valid": valid}
    if phase.name in ("dynamics", "finetune"):
        found["image_row"] = np.arange(BATCH) % 4 == 1
    if phase.name == "finetune":
        shape = BATCH, length + config.head.mtp - 1
        found |= {"action": rng.integers(0, toy_v4.ACTIONS, shape)}
        found |= {"reward": rng.normal(size=shape).astype(np.float32)}
        found |= {"go_on": rng.integers(0, 2, shape).astype(np.float32)}
        known = np.arange(shape[1]) < rng.integers(1, shape[1] + 1, (BATCH, 1))
        found |= dict.fromkeys(("action_known", "reward_known", "go_on_known"), known)
    return found


def distances(one, other):
    """{name: norm of the difference / norm} of what `told` tells."""
    norm, first = np.linalg.norm, gradient(one)
    sure = {name: np.abs(x) >= 1e-3 * np.sqrt(np.square(x).mean()) for name, x in first.items()}
    one, other = told(one, sure), told(other, sure)
    return {name: float(norm(other[name] - one[name]) / max(norm(one[name]), 1e-6)) for name in one}


if __name__ == "__main__":
    main(*sys.argv[1:])
