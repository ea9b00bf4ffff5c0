"""Run with four simulated devices: prints how far DreamerV4's phases on them are from one."""

import json
import sys

import jax
import numpy as np

from dreamer.v4 import mesh, steps, train_agent, train_dynamics, train_imagination, train_tokenizer
from tests import toy_v4

BATCH, UPDATES = 8, 2
SMALL = {"tok__encoder": "S", "tok__decoder": "S", "dyn__layers": "T", "head__layers": 1}
LAYOUTS = {"four": (4, 1, 1), "sharded": (4, 4, 1), "mixed": (4, 2, 2), "parts": (1, 1, 4)}
MODULES = (train_tokenizer, train_dynamics, train_agent, train_imagination)
PHASES = {module.PHASE.name: module.PHASE for module in MODULES}


def main(*titles):
    jax.config.update("jax_num_cpu_devices", 4)
    mesh.SMALL = 64  # so that small arrays are split too
    found = {}
    for name, phase in PHASES.items():
        one = trained(phase, 1, 1, 1)
        for title in titles:
            found[f"{name} {title}"] = distances(one, trained(phase, *LAYOUTS[title]))
    print(json.dumps(found))


def trained(phase, count, fsdp, parts):
    """Parameters and losses after UPDATES updates."""
    params = toy_v4.params(imag__warmup_values=0, **SMALL)
    config, values = params.config, phase.begin(params.values)
    devices = mesh.Devices(count, fsdp, BATCH, parts)
    mine, fixed = (devices.place(jax.device_get(x)) for x in steps.split(phase, values))
    state = devices.place(steps.fresh(phase, config, mine))

    @jax.jit
    def update(state, fixed, rows, key):
        state, metrics = steps.update(phase, config, parts, state, fixed, rows, key)
        return devices.pin(state), metrics

    for number in range(UPDATES):
        batch = devices.feed(rows(phase, config, number))
        key = jax.device_put(jax.random.key(number), devices.whole)
        state, metrics = update(state, fixed, batch, key)
    losses = {name: value for name, value in metrics.items() if name.startswith("loss/")}
    changes = {name: state.values[name] - mine[name] for name in mine}
    return jax.device_get(losses | changes)


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
    """{name: norm of the difference / norm} of losses and changes of parameters."""
    norm = np.linalg.norm
    return {name: float(norm(other[name] - one[name]) / max(norm(one[name]), 1e-6)) for name in one}


if __name__ == "__main__":
    main(*sys.argv[1:])
