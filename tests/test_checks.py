"""Options that cannot work are refused by name, by the command and when the workflow is read."""

from pathlib import Path

import pytest

from dreamer import checks, options
from jobs import plan, settings
from jobs.errors import Refused

SCHEMA = Path(__file__).parent.parent / "rules/config.schema.yaml"
BAD = [
    ({"rew.bins": 1}, "rew.bins is 1, but takes 2 to 1048576"),
    ({"val.bins": 0}, "val.bins is 0, but takes 2 to 1048576"),
    ({"dyn.deter": 10, "dyn.blocks": 4}, "dyn.deter is 10, but must be a multiple of dyn.blocks"),
    ({"run.updates_per_call": 0}, "run.updates_per_call is 0, but"),
    ({"run.devices": 3}, "run.batch_size is 16, but must be a multiple of run.devices, which is 3"),
    ({"dyn.unimix": 1.5}, "dyn.unimix is 1.5, but takes 0 to 1"),
    ({"imag.length": 0}, "imag.length is 0, but takes at least 1"),
    ({"imag.horizon": 0}, "imag.horizon is 0, but takes at least 1"),
    ({"imag.lam": 1.1}, "imag.lam is 1.1, but takes 0 to 1"),
    ({"retnorm.rate": 2.0}, "retnorm.rate is 2.0, but takes 0 to 1"),
    ({"retnorm.low": 95.0}, "retnorm.low is 95.0, but must be below retnorm.high, 95.0"),
    ({"retnorm.floor": 0.0}, "retnorm.floor is 0.0, but takes more than zero"),
    ({"opt.beta2": 1.0}, "opt.beta2 is 1.0, but takes 0 to less than 1"),
    ({"pol.minstd": 2.0}, "pol.minstd is above pol.maxstd"),
    ({"enc.mults": []}, "enc.mults is .*, but takes whole numbers above zero"),
    ({"dec.keys": "("}, "dec.keys is '.*, but takes a regular expression"),
    ({"env.crafter.egocentric_view": 4}, "egocentric_view is 4, but takes 0 or an odd number"),
    ({"dyn.deter": 4 * 10**12}, "dyn.deter is 4000000000000, but takes 1 to 1048576"),
    ({"pol.layers": 10**6}, "pol.layers is 1000000, but takes 1 to 100"),
    ({"env.crafter.area": [64, 10**8]}, "a side takes at most 1024 tiles"),
    ({"env.crafter.length": 0}, "env.crafter.length is 0"),
    ({"run.snapshots": [10, 400], "run.steps": 300}, "run.snapshots holds 400, .* 1 to run.steps"),
    ({"run.snapshots": [10, 10]}, "run.snapshots is .*, but takes each step once"),
    (
        {"run.from_checkpoint": "no.safetensors"},
        "run.from_checkpoint: no.safetensors does not exist",
    ),
    ({"replay.maxfrac": 1.5}, "replay.maxfrac is 1.5, but takes 0 to 1"),
    ({"replay.exponent": 0.0}, "replay.exponent is 0.0, but takes more than zero"),
    ({"replay.stats_every": 0}, "replay.stats_every is 0, but takes at least 1"),
    ({"replay.cache_every": 0}, "replay.cache_every is 0, but takes at least 1"),
    ({"replay.recency": 11.0}, "replay.recency is 11.0, but takes 0 to 10"),
    ({"replay.curious.beta": 2.0}, "replay.curious.beta is 2.0, but takes 0 to 1"),
    ({"replay.size": 20}, "replay.size is 20, .* need at least 65"),
    ({"replay.context": 0}, "replay.context is 0, .* exactly one step"),
]


@pytest.mark.parametrize("overrides, words", BAD)
def test_options_that_cannot_work_are_refused_by_name(overrides, words):
    with pytest.raises(Refused, match=words):
        checks.check(options.resolve((), overrides))


@pytest.mark.parametrize("preset", sorted(options._file()["presets"]))
def test_every_preset_can_be_trained(preset):
    checks.check(options.resolve([preset]))


def planned(**chosen):
    """The spec of a training in the workflow with options {'run__steps': 10}."""
    chosen = {name.replace("__", "."): value for name, value in chosen.items()}
    run = {"name": "tiny", "configs": ["crafter_small", "debug"], "options": chosen}
    return plan.make(settings.read({"runs": [run]}, SCHEMA))


def test_the_workflow_refuses_them_before_any_job():
    with pytest.raises(Refused, match="in the configuration, run tiny: option rew.bins is 1"):
        planned(rew__bins=1)


def test_how_often_something_is_saved_retrains_nothing():
    one, two = planned(), planned(run__save_every=0.5, run__video_every=7)
    assert one.spec("train", "tiny", 0) == two.spec("train", "tiny", 0)
    assert planned(run__log_every=3).spec("train", "tiny", 0) != one.spec("train", "tiny", 0)
