"""Many devices, shared parameters and microbatches change no number of DreamerV4's training."""

import json
import os
import subprocess
import sys
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.v4 import mesh, pmpo
from jobs.errors import Refused
from tests import quick

PHASES = ("tokenizer", "dynamics", "finetune", "imagination")


def found(*layouts):
    """What tests.four_v4 prints; tests/quick.py says why it is compiled in another way."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.four_v4", *layouts],
        capture_output=True,
        text=True,
        env={**os.environ, "XLA_FLAGS": quick.FLAGS},
    )
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def mixed():
    """Two groups of two devices that share the state, and two microbatches."""
    return found("mixed")


def check(found, *layouts):
    for title in [f"{name} {title}" for name in PHASES for title in layouts]:
        errors = found[title]
        assert {"losses 0", "losses 1", "gradient"} < set(errors) and len(errors) > 10
        assert max(errors.values()) < 1e-5, (title, sorted(errors.items(), key=lambda x: -x[1])[:4])


def test_four_devices_in_pairs_and_two_microbatches_train_as_one_device_does(mixed):
    check(mixed, "mixed")


def test_the_good_actions_of_that_imagination_are_not_spread_evenly(mixed):
    """So a mean over the good ones of each device would have been another number."""
    counts = np.array(mixed["good"])
    assert (counts > 0).all() and (counts % 4 > 0).all()


def test_a_saved_state_continues_on_another_mesh(mixed):
    moved = mixed["moved"]
    assert moved["same"] and max(moved["distances"].values()) < 1e-5


@pytest.mark.slow
def test_every_layout_of_four_devices_trains_as_one_device_does():
    layouts = ("four", "sharded", "parts")
    check(found(*layouts), *layouts)


def test_set_means_of_an_unbalanced_batch_are_of_the_whole_batch():
    """One of four parts holds the only bad action; means of parts are another objective."""
    log_prob = np.arange(-8.0, 0.0, dtype=np.float32)
    advantage = jnp.ones(8).at[5].set(-1)
    rows = {"log_prob": log_prob, "advantage": advantage}

    def sums(rows):
        ones = jnp.ones_like(rows["log_prob"])
        return pmpo.sums(rows["log_prob"], rows["advantage"], 0 * ones, ones)

    whole, parts = (mesh.summed(sums, rows, count) for count in (1, 4))
    assert whole == parts
    found = float(pmpo.loss(parts, 0.5, 0.3))
    assert found == pytest.approx(0.5 * -3 - 0.5 * (log_prob.sum() + 3) / 7)
    each = [sums(jax.tree.map(lambda x: x[i::4], rows)) for i in range(4)]  # noqa: B023
    assert np.mean([pmpo.loss(one, 0.5, 0.3) for one in each]) != pytest.approx(found, abs=0.1)


def test_microbatches_take_rows_in_turn_and_come_back_in_order():
    x = jnp.arange(8)
    assert mesh.deal(x, 2).tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert mesh.mapped(lambda rows: 10 * rows, x, 4).tolist() == (10 * x).tolist()


def test_means_of_nothing_are_zero_in_a_loss_and_unknown_in_a_log():
    nothing = mesh.pair(jnp.zeros(3), jnp.zeros(3))
    assert mesh.mean(nothing) == 0 and np.isnan(mesh.known(nothing))


def test_layouts_that_cannot_be_are_refused():
    with pytest.raises(Refused, match="run.devices is 99, but JAX finds"):
        mesh.Devices(99)
    with pytest.raises(Refused, match="run.fsdp is 3, but must divide the 1 devices"):
        mesh.Devices(1, 3)
    with pytest.raises(Refused, match="batch of 6 rows must be a multiple of 1 devices times 4"):
        mesh.Devices(1, 1, 6, 4)


def test_of_several_processes_all_devices_take_part(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(jax, "devices", lambda: [mock.Mock(platform="cpu")] * 2)
    with pytest.raises(Refused, match="run.devices is 1, but the 2 processes have 2 together"):
        mesh.Devices(1)


@pytest.mark.parametrize(
    "coordinator, number, words",
    [("", "", "JAX knows no cluster"), ("a:1", "", "from 0 on"), ("a:1", "2", "from 0 on")],
)
def test_processes_that_cannot_find_each_other_are_refused(coordinator, number, words, monkeypatch):
    monkeypatch.setenv("JAX_PROCESS_ID", number)
    monkeypatch.setattr(jax.distributed, "initialize", mock.Mock(side_effect=ValueError))
    with pytest.raises(Refused, match=words):
        mesh.join({"hosts": 2, "coordinator": coordinator})
