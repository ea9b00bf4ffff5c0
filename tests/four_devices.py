"""Run with four simulated devices: prints how far training on them is from training on one."""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import devices, parity
from dreamer.v3 import agent, reference, update
from tests.toy_training import NAMES, after, ask, train

UPDATES, BATCH = 3, 4
FILE = Path(__file__).parent / "data" / "edge.npz"  # returns of ordinary size, unlike fresh heads


def main(folder):
    jax.config.update("jax_num_cpu_devices", 4)
    one, four = (trained(count, 1) for count in (1, 4))
    found = {"devices": distances(one, four), "again": distances(four, trained(4, 1))}
    found["calls"] = distances(one, trained(1, UPDATES))
    single, split = ask(folder / "1", run__devices=1), ask(folder / "4", run__devices=0)
    assert train(single) and not train(split, after(150)) and train(split)
    whole = ask(folder / "whole", run__devices=0)
    assert train(whole)
    found["resumed"] = all(
        (folder / "4" / n).read_bytes() == (folder / "whole" / n).read_bytes() for n in NAMES
    )
    print(json.dumps(found))


def trained(count, per_call):
    """Parameters, and the losses of every update, after UPDATES updates."""
    state, rows, places = *start(), devices.Devices(count)
    batches = {
        name: np.stack([np.roll(x, k, 0) for k in range(UPDATES)]) for name, x in rows.items()
    }
    keys = jax.random.split(jax.random.key(1), UPDATES)
    state, losses, program = places.everywhere(state), [], None
    for first in range(0, UPDATES, per_call):
        now = slice(first, first + per_call)
        batch = jax.device_put({name: x[now] for name, x in batches.items()}, places.split)
        inputs = batch, places.everywhere(keys[now])
        program = program or places.compile(agent.train, state, *inputs)
        state, metrics, _ = program(state, *inputs)
        losses.append({name: value for name, value in metrics.items() if name.startswith("loss/")})
    losses = {name: np.concatenate([row[name] for row in losses]) for name in losses[0]}
    return jax.device_get(state.params.values) | losses


def start():
    """State and batch {name: [BATCH, T, ...]} of a file of the authors' numbers."""
    file = parity.read(FILE)
    parts = {name: parity.part(file, name) for name in ("batch", "param")}
    config = reference.config_of(json.loads(bytes(file["meta"])), parts["batch"], parts["param"])
    state = update.of(jax.tree.map(jnp.asarray, parts["param"]), config)
    rows = {name: x for name, x in parts["batch"].items() if name not in reference.MOVES[1:]}
    rows |= {"dyn/deter": parts["batch"]["carry_deter"]}
    rows |= {"dyn/stoch": parts["batch"]["carry_stoch"].reshape(len(rows["reward"]), -1)}
    return state, {name: np.resize(x, (BATCH, *x.shape[1:])) for name, x in rows.items()}


def distances(one, other):
    """{name: norm of the difference / norm} of every parameter and loss."""
    norm = np.linalg.norm
    return {
        name: float(norm(np.subtract(other[name], one[name])) / max(norm(one[name]), 1e-6))
        for name in one
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
