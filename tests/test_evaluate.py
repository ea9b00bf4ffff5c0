"""Agents are evaluated in the same worlds, and equal seeds give equal numbers."""

import subprocess
from types import SimpleNamespace

import imageio_ffmpeg
import jax
import numpy as np
import pytest
from PIL import Image

from analysis import plot_evaluation
from dreamer import (
    atari_scores,
    checkpoint,
    evaluate,
    evaluated,
    films,
    played,
    players,
    scores,
    spaces,
    trajectory,
)
from dreamer.envs import square, vector
from dreamer.v4 import agent
from jobs import cli, files
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


def make(folder, paths, video=None, film=None, **changes):
    names = {name: folder / f"{name}.out" for name in ("scores", "table")}
    options = {f"evaluation.{name}": value for name, value in (OPTIONS | changes).items()}
    evaluate.main(paths, **names, video=video, film=film, overrides=options)
    return names


@pytest.fixture(scope="module")
def made(pair, tmp_path_factory):
    return make(tmp_path_factory.mktemp("made"), pair)


def test_every_player_meets_the_same_episodes(made):
    about, table = trajectory.read_log(made["table"], "evaluation")
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
    _, table = trajectory.read_log(made["table"], "evaluation")
    lines = {item["score"]: item for item in found["summary"]}
    chance = table[table["player"] == "random"]["return"].mean()
    assert lines["return, agent, sampled"]["chance"] == pytest.approx(chance)
    data = toy_v4.write(tmp_path / "d.parquet", policies=[{"name": "scripted"}])
    names = {name: tmp_path / name for name in ("scores", "table")}
    options = {f"evaluation.{name}": value for name, value in (OPTIONS | {"seeds": [5]}).items()}
    evaluate.main(pair[:1], **names, dataset=data, overrides=options)
    told = files.read_json(names["scores"])
    rewards = trajectory.read(data, ["reward"], "dataset")["reward"]
    assert told["collected"]["scripted"]["return"] == pytest.approx(rewards.sum() / 6)
    assert told["collected"]["scripted"]["episodes"] == 6
    assert any("No parent" in words for words in told["notes"])


def test_intervals_are_over_seeds_where_there_are_three():
    values, seeds = np.array([0.0, 2.0, 4.0, 6.0, 8.0, 10.0]), np.array([5, 5, 6, 6, 7, 7])
    assert scores.by_seed(values, seeds).tolist() == [1, 5, 9]
    assert scores.by_seed(values[:4], seeds[:4]).tolist() == [0, 2, 4, 6]
    assert scores.interval(scores.by_seed(values, seeds)) == (1, 9)


def test_all_numbers_of_a_player_have_an_interval(made):
    told = files.read_json(made["scores"])
    for item in told["summary"]:
        words = item["score"]
        if not words.endswith(" end"):
            low, high = told["intervals"][words]
            assert low <= item["value"] <= high, words


def test_achievements_are_counted_by_the_share_of_episodes_with_them(made):
    found = files.read_json(made["scores"])["achievements"]
    _, table = trajectory.read_log(made["table"], "evaluation")
    for item in found:
        mine = table[(table["player"] == item["player"]) & (table["mode"] == item["mode"])]
        share = 100 * (mine[f"achievement_{item['achievement']}"] > 0).mean()
        assert item["rate"] == pytest.approx(share) and item["low"] <= share <= item["high"]
    assert {item["achievement"] for item in found} == {"reach_goal"}


@pytest.mark.parametrize(
    "task, value, percent",
    [("atari_pong", -20.7, 0), ("atari100k_pong", 14.6, 100), ("atari_boxing", 6.1, 50)],
)
def test_atari_returns_stand_between_random_play_and_a_human(task, value, percent):
    assert atari_scores.normalised(task, value) == pytest.approx(percent)


@pytest.mark.parametrize("task", ["crafter", "atari_elevator_action"])
def test_without_published_scores_nothing_is_normalised(task):
    assert atari_scores.normalised(task, 1.0) is None


def test_human_normalised_returns_have_the_interval_of_the_returns():
    rows = [{"player": "random", "mode": "sampled", "seed": 5, "return": value, "length": 9,
             "achievements": None} for value in (-20.7, 14.6, -20.7)]  # fmt: skip
    found = [players.Player(players.RANDOM)]
    told = played.intervals(rows, found, [], "atari_pong")
    assert told["human-normalised return, random"] == pytest.approx((0, 100))
    lines = played.summary(rows, found, [], {}, "atari_pong")
    assert {"human-normalised return, random"} < {line["score"] for line in lines} >= {*told}
    assert "human-normalised return, random" not in played.intervals(rows, found, [], "crafter")


@pytest.mark.parametrize("seeds, warned", [([0, 5], True), ([5], False)])
def test_worlds_of_the_training_are_no_new_ones(seeds, warned):
    header = {"seed": 0, "world": {"achievements": []}}
    tree = {"task": "gym_CartPole-v1", "env": {"gym": {}}}
    agent_of_v3 = SimpleNamespace(header=header, options=tree)
    told = evaluated.notes({"episodes": 2, "seeds": seeds}, agent_of_v3, None, 1)
    assert any("Seed 0 is that of the training" in words for words in told) == warned


def test_the_command_takes_checkpoints_as_words(pair, tmp_path, capsys):
    flags = ["--episodes", "2", "--seeds", "5", "1024", "42", "--evaluation.envs", "1"]
    flags += ["--evaluation.platform", "cpu", "--scores", str(tmp_path / "scores.json")]
    with pytest.raises(SystemExit) as left:
        cli.run(evaluate.main, [str(pair[0]), *flags])
    said = capsys.readouterr().out
    assert left.value.code == 0 and "return, agent, sampled: " in said
    assert "seeds 5, 1024, 42" in said and "bootstrapped over seeds" in said


@pytest.fixture(scope="module")
def filmed(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filmed")
    return folder, make(folder, pair, video=folder / "video", film=folder / "film.gif")


def decoded(path, shape):
    """Frames uint8 [T, *shape] of a video."""
    words = ["-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], capture_output=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, *shape)


def test_a_video_shows_what_the_recorded_actions_lead_to(filmed, pair):
    tree = checkpoint.load(pair[0])[0]["options"]
    for path in sorted((filmed[0] / "video").glob("agent_*.json")):
        told = files.read_json(path)
        seeds = vector.stream(told["seed"], 0), vector.stream(told["seed"], 0)
        env = square.make(tree["env"]["square"], *seeds)
        images = [env.reset(options={"n_resets": told["episode"]})[0]["image"]]
        images += [env.step(action)[0]["image"] for action in told["actions"][:-1]]
        rewards, values = np.array(told["rewards"]), np.array(told["values"])
        film = films.Film(np.stack(images), np.array(told["actions"]), rewards, values)
        drawn = np.stack(list(films.frames(film, told["action_names"])))
        shown = decoded(path.with_suffix(".mp4"), drawn.shape[1:])
        assert len(shown) == len(drawn) == told["length"] + 1 and told["mode"] in path.stem
        apart, late = (
            np.abs(shown[s:].astype(int) - drawn[: len(drawn) - s]).mean() for s in (0, 1)
        )
        assert apart < min(4, late)  # H.264 is not exact
        with Image.open(path.with_suffix(".gif")) as gif:
            assert gif.n_frames == len(drawn) and gif.size == drawn.shape[2:0:-1]


def test_the_picture_holds_the_image_enlarged_and_words_below():
    images = np.zeros((2, 16, 16, 3), np.uint8)
    images[1, 0, 0] = 255
    film = films.Film(images, np.array([3, 1]), np.array([0.0, 0.5]), np.array([0.25, 0.0]))
    first, last = films.frames(film, ["noop", "left", "right", "up"])
    scale = films.SIDE // 16
    np.testing.assert_array_equal(last[: films.SIDE : scale, : films.SIDE : scale], images[1])
    assert films._words(film, 0, 0.0, ["noop", "left", "right", "up"]) == [
        "step 0   up", "value 0.250   return 0",
    ]  # fmt: skip
    assert first[films.SIDE :].max() == 255


def test_the_one_film_is_the_first_seeds_first_sampled_episode(filmed):
    film = filmed[0] / "film.gif"
    same = [path.name for path in (filmed[0] / "video").glob("*.gif")
            if path.read_bytes() == film.read_bytes()]  # fmt: skip
    assert f"agent_sampled_seed{OPTIONS['seeds'][0]}_episode0.gif" in same


def test_an_agent_without_images_gets_a_sentence_in_place_of_a_film(tmp_path):
    films.gif(tmp_path / "film.gif", None)
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 1 and gif.size[0] == 2 * films.SIDE


def test_a_gif_holds_the_first_steps_only(tmp_path):
    steps = films.GIF_STEPS + 5
    images, zeros = np.zeros((steps, 16, 16, 3), np.uint8), np.zeros(steps)
    films.gif(tmp_path / "film.gif", films.Film(images, zeros.astype(int), zeros, None))
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == films.GIF_STEPS


def test_filming_changes_no_number(filmed, made):
    for name, path in filmed[1].items():
        assert path.read_bytes() == made[name].read_bytes()


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
    figures = [tmp_path / name for name in ("returns.svg", "paired.svg", "achievements.svg")]
    plot_evaluation.main(None, made["scores"], made["table"], *figures)
    for path in figures:
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000


@pytest.mark.parametrize(
    "task, names, label",
    [
        ("crafter", ["a", "b"], "Crafter score"),
        ("minecraft_diamond", ["a", "b"], "achievements by Crafter's formula"),
        ("square", ["reach_goal"], "episodes with reach goal"),
    ],
)
def test_only_crafters_score_is_called_so(task, names, label):
    lines = {"return": 1.0, "length": 4, "achievements": [1] * len(names), "seed": 5}
    rows = [{"player": players.RANDOM, "mode": "sampled", **lines}]
    found = [players.Player(players.RANDOM)]
    told = played.summary(rows, found, names, {}, task)
    assert any(line["score"].startswith(f"{label}, random") for line in told)
