"""Train every phase of DreamerV4 in one go, then anew with stops in between.

Prints {phase: whether both have the same bits}. The first training stays in FOLDER/whole.
"""

import json
import os
import sys
from pathlib import Path
from unittest import mock

from dreamer.v4 import (
    asked,
    fit,
    fitting,
    train_agent,
    train_dynamics,
    train_imagination,
    train_tokenizer,
)
from tests import quick, sandbox, toy_v4

SMALL = {
    "seed": 3, "run.platform": "cpu", "run.tests": 2, "run.log_every": 2, "dyn.p_long": 0.0,
    "tok.encoder": "S", "tok.decoder": "S", "head.layers": 1, "dyn.kmax": 2, "dyn.rungs": 1,
    "dyn.context_level": 0.5, "imag.warmup_values": 2, "task": "square",
    **{f"{block}.updates": 5 for block in ("tok", "dyn", "head", "imag")},
}  # fmt: skip
MODULES = (train_tokenizer, train_dynamics, train_agent, train_imagination)
PHASES = {module.PHASE.name: module.PHASE for module in MODULES}


def main(folder):
    data, whole, found = write(folder), folder / "whole", {}
    for name, phase in PHASES.items():
        here, there = (ask(phase, place, data, whole) for place in (whole, folder / "stopped"))
        assert train(phase, here) and stopped(phase, there)
        found[name] = content(phase, whole) == content(phase, folder / "stopped")
    print(json.dumps(found))


def write(folder):
    """Data for training and testing in `folder`, which is returned."""
    toy_v4.write(folder / "train.parquet")
    toy_v4.write(folder / "test.parquet", count=3, seed=1)
    return folder


def ask(phase, place, data, whole):
    """What a phase is asked to do by hand, in the folder `place`."""
    inputs = {"dataset": data / "train.parquet", "test": data / "test.parquet"}
    return asked.by_hand(phase, place, ["t0"], inputs | {"start": before(phase, whole)}, SMALL)


def train(phase, asked, stop=lambda: None):
    ready = fit.check(phase, asked)
    with fit.alone(asked):
        return fit.run(phase, asked, ready, stop)


def stopped(phase, asked):
    """Stop twice, break down at the end, and go on."""
    assert not train(phase, asked, after(1)) and not train(phase, asked, after(2))
    with mock.patch.object(fitting.Training, "save", side_effect=ConnectionError):
        try:
            train(phase, asked)
        except ConnectionError:
            pass
        else:
            return False
    return train(phase, asked)


def after(updates):
    """A `stop` that says so after some updates of this sitting."""
    left = iter([None] * updates)
    return lambda: next(left, "the test said so")


def path(name, folder):
    """The checkpoint of phase `name`."""
    return folder / f"{'checkpoint' if name == 'imagination' else name}.safetensors"


def before(phase, folder):
    return path(phase.after, folder) if phase.after else None


def content(phase, folder):
    """Bytes of a phase's results."""
    names = path(phase.name, folder), folder / f"{phase.name}_metrics.parquet"
    return [name.read_bytes() for name in names]


def environment():
    """Of processes that compile alike; a kill may damage an entry of their cache."""
    cache = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(sandbox.ROOT / ".cache/jax"))
    return os.environ | {
        "XLA_FLAGS": quick.FLAGS,
        "OMP_NUM_THREADS": "1",
        "JAX_COMPILATION_CACHE_DIR": f"{cache}-killed",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
