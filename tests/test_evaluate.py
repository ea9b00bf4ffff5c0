"""Agents are evaluated in the same worlds, and equal seeds give equal numbers."""

import jax
import numpy as np
import pytest

from analysis import plot_evaluation
from dreamer import checkpoint, evaluate, played, players, spaces, trajectory
from dreamer.envs import square
from dreamer.v4 import agent
from jobs import files
from jobs.errors import Refused
from tests import toy_v4

WORLD = {"env.square.size": 16, "env.square.square": 4, "env.square.goal": 2}
WORLD |= {"env.square.length": 6}
OPTIONS = {"episodes": 3, "seeds": [5, 6], "envs": 1, "platform": "cpu"}


def save(path, phase, seed=0, **more):
    """A checkpoint of random parameters in a small square world."""
    tree = toy_v4.tree(**{name.replace(".", "__"): value for name, value in (WORLD | more).items()})
    env = square.make(tree["env"]["square"], 0, 0)
    seen = spaces.of(env.observation_space, env.action_space)
    params = jax.jit(lambda key: agent.init(tree, seen, key))(jax.random.key(seed)).params
    header = {"agent": "v4", "options": tree, "step": 0, "updates": 0, "seed": seed, "phase": phase}
    header |= {"spaces": spaces.to_json(seen), "world": env.world}
    checkpoint.save(path, jax.device_get(params.values), header)
    return path


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """An agent and its parent: equal parameters."""
    folder = tmp_path_factory.mktemp("pair")
    return [save(folder / f"{phase}.safetensors", phase) for phase in ("imagination", "finetune")]


def make(folder, paths, **changes):
    names = {name: folder / f"{name}.out" for name in ("scores", "episodes")}
    options = {f"evaluation.{name}": value for name, value in (OPTIONS | changes).items()}
    evaluate.main(paths, **names, overrides=options)
    return names


@pytest.fixture(scope="module")
def made(pair, tmp_path_factory):
    return make(tmp_path_factory.mktemp("made"), pair)


def test_every_player_meets_the_same_episodes(made):
    about, table = trajectory.read_log(made["episodes"], "evaluation")
    sizes = table.groupby(["player", "mode"], sort=False).size()
    assert sizes.to_dict() == {
        ("agent", "sampled"): 6, ("agent", "argmax"): 6,
        ("cloned", "sampled"): 6, ("cloned", "argmax"): 6, ("random", "sampled"): 6,
    }  # fmt: skip
    assert set(table["length"]) == {6} and about["players"]["cloned"]["phase"] == "finetune"
    for _, part in table.groupby(["player", "mode"]):
        assert part[["seed", "episode"]].to_numpy().tolist() == [
            [seed, item] for seed in (5, 6) for item in range(3)
        ]


def test_an_agent_differs_from_itself_by_exactly_nothing(made):
    gaps = {
        (item["player"], item["minus"]): item for item in files.read_json(made["scores"])["paired"]
    }
    for mode in ("sampled", "argmax"):
        found = gaps[f"agent, {mode}", f"cloned, {mode}"]
        assert (found["mean"], found["low"], found["high"]) == (0, 0, 0)
        assert (f"agent, {mode}", "random") in gaps


def test_equal_seeds_give_equal_bytes(made, pair, tmp_path):
    for name, path in make(tmp_path, pair).items():
        assert path.read_bytes() == made[name].read_bytes()


def test_means_stand_beside_chance_and_the_collector(made, pair, tmp_path):
    found = files.read_json(made["scores"])
    _, table = trajectory.read_log(made["episodes"], "evaluation")
    lines = {item["score"]: item for item in found["summary"]}
    chance = table[table["player"] == "random"]["return"].mean()
    assert lines["return, agent, sampled"]["chance"] == pytest.approx(chance)
    data = toy_v4.write(tmp_path / "d.parquet", policies=[{"name": "scripted"}])
    names = {name: tmp_path / name for name in ("scores", "episodes")}
    options = {f"evaluation.{name}": value for name, value in (OPTIONS | {"seeds": [5]}).items()}
    evaluate.main(pair[:1], **names, dataset=data, overrides=options)
    told = files.read_json(names["scores"])
    rewards = trajectory.read(data, ["reward"], "dataset")["reward"]
    assert told["collected"]["scripted"]["return"] == pytest.approx(rewards.sum() / 6)
    assert told["collected"]["scripted"]["episodes"] == 6
    assert any("No parent" in words for words in told["notes"])


def test_the_crafter_score_is_the_published_formula():
    counts = np.array([[1, 0], [2, 0]])  # always, never
    assert played.crafter_score(counts) == pytest.approx(np.exp(np.log(101) / 2) - 1)


def test_chance_draws_every_action_alike():
    env = square.make(toy_v4.tree()["env"]["square"], 0, 0)
    draw = players._chance(env.action_space)
    keys = jax.random.split(jax.random.key(0), 5000)
    _, actions, _ = draw(None, None, keys)
    shares = np.bincount(actions, minlength=5) / 5000
    assert np.abs(shares - 0.2).max() < 0.03


def test_agents_of_different_worlds_are_refused(pair, tmp_path):
    other = save(tmp_path / "other.safetensors", "finetune", **{"env.square.length": 7})
    with pytest.raises(Refused, match="different worlds"):
        make(tmp_path, [pair[0], other])


def test_agents_of_different_fixed_worlds_are_refused(tmp_path):
    fixed = {"env.square.fixed_seed": True}
    paths = [
        save(tmp_path / f"{seed}.safetensors", "finetune", **fixed, seed=seed) for seed in (0, 1)
    ]
    with pytest.raises(Refused, match="different worlds"):
        make(tmp_path, paths)


@pytest.mark.parametrize(
    "changes, words", [({"episodes": 0}, "above zero"), ({"seeds": [1, 1]}, "different seeds")]
)
def test_wrong_numbers_are_refused(changes, words, pair, tmp_path):
    with pytest.raises(Refused, match=words):
        make(tmp_path, pair, **changes)


def test_the_figures_are_drawn_from_the_tables(made, tmp_path, monkeypatch):
    monkeypatch.setattr(plot_evaluation.cli, "options", lambda spec: {})
    figures = [tmp_path / name for name in ("returns.svg", "paired.svg")]
    plot_evaluation.main(None, made["scores"], made["episodes"], *figures)
    for path in figures:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000
