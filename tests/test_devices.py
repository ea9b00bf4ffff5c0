"""Training on several devices is training on one: the batch is split, the result is the same."""

import json
import subprocess
import sys

import pytest

from dreamer.devices import Devices
from jobs.errors import Refused


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    command = [sys.executable, "-m", "tests.four_devices", str(tmp_path_factory.mktemp("four"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_four_devices_give_the_losses_and_parameters_of_one(found):
    errors = found["devices"]
    assert {"loss/policy", "retnorm/lo/value", "retnorm/hi/value", "enc/cnn0/kernel"} < set(errors)
    assert max(errors.values()) < 1e-5, errors


def test_four_devices_give_equal_bits_twice(found):
    assert set(found["again"].values()) == {0.0}


def test_several_updates_in_one_call_are_the_updates_one_by_one(found):
    assert max(found["calls"].values()) < 1e-6, found["calls"]


def test_a_training_on_four_devices_continues_to_the_same_bits(found):
    assert found["resumed"] is True


def test_more_devices_than_there_are_and_uneven_batches_are_refused():
    with pytest.raises(Refused, match="run.devices is 99, but JAX finds"):
        Devices(99)
    two = Devices(1)
    two.all *= 2
    with pytest.raises(Refused, match="run.batch_size is 3, but must be a multiple of the 2"):
        two.check(3)
