"""The option tree: presets stack, and what does not fit is refused in one sentence."""

import pytest

from dreamer import options, samplers
from jobs.errors import Refused


def test_presets_are_stacked_left_to_right_and_flags_come_last():
    tree = options.resolve(["size1m", "size12m"], {"dyn.deter": 64})
    assert tree["dyn"]["hidden"] == 256 and tree["dyn"]["deter"] == 64
    assert tree["enc"]["depth"] == tree["dec"]["depth"] == 16


def test_every_preset_resolves():
    presets = options._file()["presets"]
    assert {"crafter", "crafter_small", "tiny", "debug", "size1m", "size400m", "XS"} <= set(presets)
    for name in presets:
        options.resolve([name])


@pytest.mark.parametrize("name", sorted(samplers.KINDS))
def test_every_sampler_is_a_preset_of_its_name(name):
    assert options.resolve(["size1m", name])["replay"]["sampler"] == name


def test_a_tree_that_a_caller_changes_leaves_the_defaults_alone():
    options.resolve()["enc"]["mults"].append(9)
    assert options.resolve()["enc"]["mults"] == [2, 3, 4, 4]


def test_numbers_in_exponent_notation_are_numbers():
    assert options.resolve((), {"opt.lr": "1e-3"})["opt"]["lr"] == 1e-3


BAD = [
    ({"run.stps": 3}, "there is no option 'run.stps'; did you mean 'run.steps'"),
    ({"run.steps": "many"}, "run.steps is 'many', but takes a whole number"),
    ({"run.steps": 0}, "run.steps is 0, but must be above zero"),
    ({"run.save_every": -1}, "run.save_every is -1.0, but must be zero or more"),
    ({"run.train_ratio": float("nan")}, "run.train_ratio is nan, but takes a finite number"),
    ({"opt.lr": ".inf"}, "opt.lr is '.inf', but takes a number"),
    ({"replay.maxfrac": True}, "replay.maxfrac is True, but takes a number"),
    ({"dyn.blocks": 0}, "dyn.blocks is 0, but must be above zero"),
    ({"enc.mults": [2, "a"]}, "enc.mults is .*, but takes a list of whole numbers"),
    ({"seed": 10**20}, "seed is 10+, but takes 0 to 4294967295"),
    ({"run.platform": "tpu"}, "takes one of auto, cpu, gpu"),
    ({"replay.sampler": "newest"}, "takes one of uniform, uncertainty, uncertainty_inf, "),
    ({"replay.initial": float("inf")}, "replay.initial is inf, but takes a text"),
    ({"env.crafter.random_spawn": 1}, "takes true or false"),
]


@pytest.mark.parametrize("overrides, words", BAD)
def test_a_bad_option_is_refused_by_name(overrides, words):
    with pytest.raises(Refused, match=words):
        options.resolve((), overrides)


def test_an_unknown_preset_is_refused_with_the_nearest_name():
    with pytest.raises(Refused, match="no preset 'tinny'; did you mean 'tiny'"):
        options.resolve(["tinny"])


def test_a_family_has_options_of_its_own_beside_the_shared_ones():
    tree = options.resolve(["crafter_small", "t0"], {"agent": "v4", "tok.updates": 7})
    assert tree["agent"] == "v4" and tree["tok"]["updates"] == 7
    assert tree["env"] == options.resolve(["crafter_small"])["env"]
    assert "replay" not in tree and "tok" not in options.resolve()


def test_presets_that_set_only_what_all_families_share_are_every_familys():
    assert {"crafter_small", "square"} < set(options.presets("v4"))
    assert not {"size1m", "crafter", "debug"} & set(options.presets("v4"))


@pytest.mark.parametrize("name", options.presets("v4"))
def test_every_preset_of_another_family_resolves(name):
    tree = options.resolve([name], {"agent": "v4"})
    assert options.result(tree) == tree


@pytest.mark.parametrize(
    "configs, overrides, words",
    [
        (["size1m"], {}, "preset 'size1m' sets options that agent v4 does not have"),
        (["crafter_smal"], {}, "no preset 'crafter_smal'; did you mean 'crafter_small'"),
        ([], {"dyn.wdth": 3}, "no option 'dyn.wdth'; did you mean 'dyn.width'"),
        ([], {"replay.size": 3}, "no option 'replay.size'"),
        ([], {"tok.updates": -1}, "tok.updates is -1, but must be zero or more"),
    ],
)
def test_what_does_not_fit_a_family_is_refused(configs, overrides, words):
    with pytest.raises(Refused, match=words):
        options.resolve(configs, {"agent": "v4", **overrides})


def test_a_tree_of_another_family_is_changed_by_its_own_options():
    tree = options.resolve(["t0"], {"agent": "v4"})
    assert options.override(tree, {"head.units": 0})["head"]["units"] == 0
    with pytest.raises(Refused, match="dyn.width is 'x', but takes a whole number"):
        options.override(tree, {"dyn.width": "x"})
