"""Checkpoints: an agent in three lines, equal bytes for equal content, refusals in a sentence."""

import gymnasium
import jax
import numpy as np
import pytest

import dreamer
from dreamer import checkpoint, options, spaces
from jobs.errors import Refused
from tests import toy_family

SPACES = spaces.of(
    gymnasium.spaces.Dict(image=gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)),
    gymnasium.spaces.Discrete(17),
)
OPTIONS = options.resolve(["debug"], {"agent": "tests.toy_family"})
HEADER = {"agent": "tests.toy_family", "options": OPTIONS, "spaces": spaces.to_json(SPACES)}


@pytest.fixture
def state():
    return toy_family.init(OPTIONS, SPACES, jax.random.key(0))


@pytest.fixture
def saved(tmp_path, state):
    checkpoint.save(tmp_path / "checkpoint.safetensors", state.params.values, HEADER)
    return tmp_path / "checkpoint.safetensors"


def test_a_loaded_agent_acts_on_an_observation(saved):
    agent = dreamer.load(saved)
    action = agent.act({"image": np.zeros((64, 64, 3), np.uint8)})
    assert type(action) is int and 0 <= action < 17
    assert agent.options == OPTIONS and agent.spaces == SPACES


def test_an_agent_remembers_until_it_is_reset(saved):
    agent, image = dreamer.load(saved), np.full((64, 64, 3), 51, np.uint8)
    for _ in range(3):
        agent.act({"image": image})
    assert agent._carry.belief[0].tolist() == pytest.approx([0.2, 0.02])
    agent.reset()
    agent.act({"image": image})
    assert agent._carry.belief[0].tolist() == pytest.approx([0.2, 0.0])


def test_an_observation_without_the_image_is_refused(saved):
    with pytest.raises(Refused, match="lacks image"):
        dreamer.load(saved).act({"picture": 0})


def test_parameters_and_header_read_back(saved, state):
    header, values = checkpoint.load(saved)
    assert header["kind"] == "checkpoint" and header["options"] == OPTIONS
    assert sorted(values) == sorted(state.params.values)
    for name, value in values.items():
        np.testing.assert_array_equal(value, state.params.values[name])


def test_equal_content_gives_equal_bytes_whatever_its_order(saved, state, tmp_path):
    turned = dict(reversed(state.params.values.items()))
    checkpoint.save(tmp_path / "again.safetensors", turned, dict(reversed(HEADER.items())))
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(Refused, match="none.safetensors does not exist"):
        checkpoint.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_a_cut_off_checkpoint_is_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(Refused, match="checkpoint.safetensors is cut off"):
        checkpoint.load(saved)


def test_a_foreign_file_is_refused(tmp_path):
    checkpoint.save_file({"x": np.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(Refused, match="was not written by this project"):
        checkpoint.load(tmp_path / "foreign.safetensors")


def test_a_checkpoint_of_another_size_is_refused_naming_both_shapes(saved):
    larger = options.resolve(["debug"], {"agent": "tests.toy_family", "dyn.hidden": 7})
    state = toy_family.init(larger, SPACES, jax.random.key(0))
    with pytest.raises(Refused, match=r"2 of 2 parameters.*toy/kernel \[2, 3\] not \[2, 7\]"):
        checkpoint.fill(state, checkpoint.load(saved)[1], saved)
    with pytest.raises(Refused, match=r"toy/readout/kernel absent not \[7\]"):
        checkpoint.fill(state, {"toy/kernel": np.zeros((2, 7))}, saved)


def test_a_checkpoint_from_before_an_option_takes_its_default_and_says_so(tmp_path, state, capsys):
    older = options.flatten(OPTIONS)
    older = options.unflatten({name: older[name] for name in older if name != "dyn.unroll"})
    path = tmp_path / "older.safetensors"
    checkpoint.save(path, state.params.values, HEADER | {"options": older})
    agent = dreamer.load(path)
    default = options.resolve((), {"agent": "tests.toy_family"})["dyn"]["unroll"]
    assert agent.options["dyn"] == OPTIONS["dyn"] | {"unroll": default}
    assert "older.safetensors is older than dyn.unroll: default taken" in capsys.readouterr().err


def test_filling_a_state_replaces_only_its_parameters(saved, state):
    trained = state._replace(count=jax.numpy.array(5))
    values = {name: value + 1 for name, value in checkpoint.load(saved)[1].items()}
    filled = checkpoint.fill(trained, values, saved)
    assert int(filled.count) == 5
    np.testing.assert_array_equal(filled.params.values["toy/kernel"], values["toy/kernel"])
