"""Data sets: who plays what, what a kill leaves, and what files of others become."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import dataset, npz, options, png, spaces, tasks, trajectory
from dreamer.episodes import Episodes
from jobs import files, plan
from jobs import settings as configuration
from jobs.errors import Refused
from tests import synthetic, toy_checkpoint, toy_world

ROOT = Path(__file__).parent.parent
FEW = {"data.episodes": 6, "data.test_episodes": 4}


@pytest.fixture(scope="module", autouse=True)
def in_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset.collect.vector, "make", toy_world.in_process)
        yield


def make(folder, name="a", configs=("square",), policies=("scripted", "random"), **changes):
    """(data set, test data set) of the moving square."""
    paths = folder / f"{name}.parquet", folder / f"{name}_test.parquet"
    given = {"configs": list(configs), "policies": list(policies)} if configs else {}
    dataset.main(*paths, **given, **{"overrides": FEW} | changes)
    return paths


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("square"))


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_checkpoint.save(tmp_path_factory.mktemp("agent") / "checkpoint.safetensors")


def episodes(path):
    """[{column: values}] of a data set, images as bytes."""
    file = trajectory.open_file(path, "dataset")
    return [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]


def test_no_episode_is_in_both_parts(made):
    numbers = [[rows["episode"][0] for rows in episodes(path)] for path in made]
    assert len(numbers[0]) == 6 and len(numbers[1]) == 4
    assert len(set(numbers[0] + numbers[1])) == 10
    images = [tuple(rows["image"]) for path in made for rows in episodes(path)]
    assert len(set(images)) == 10


def test_policies_share_the_episodes_evenly(made):
    for path, each in zip(made, (3, 2), strict=True):
        assert [rows["policy"][0] for rows in episodes(path)] == [0] * each + [1] * each
    names = [item["name"] for item in trajectory.header(made[0], "dataset")["policies"]]
    assert names == ["scripted", "random"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(made, tmp_path):
    again, other = make(tmp_path), make(tmp_path, "b", overrides=FEW | {"data.seed": 1})
    for one, two, three in zip(made, again, other, strict=True):
        assert one.read_bytes() == two.read_bytes() != three.read_bytes()


def test_an_episode_depends_on_nothing_but_its_number(made, tmp_path):
    more, _ = make(tmp_path, overrides=FEW | {"data.test_episodes": 2})
    assert [rows["image"] for rows in episodes(more)] == [
        rows["image"] for rows in episodes(made[0])
    ]


def test_a_second_start_plays_only_what_is_missing(tmp_path, monkeypatch):
    whole = make(tmp_path, "whole")
    played, publish = [], dataset._publish
    own = dataset.collect._episode
    monkeypatch.setattr(dataset, "_publish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(tmp_path)
    parts = sorted((tmp_path / "a.work").rglob("*.parquet"))
    assert len(parts) == 10
    parts[4].unlink()
    monkeypatch.setattr(dataset, "_publish", publish)
    monkeypatch.setattr(dataset.collect, "_episode", lambda *item: played.append(1) or own(*item))
    paths = make(tmp_path)
    assert len(played) == 1 and not (tmp_path / "a.work").exists()
    for one, two in zip(whole, paths, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_a_killed_collection_continues_to_the_same_bytes(tmp_path):
    words = [
        sys.executable,
        "-m",
        "dreamer.dataset",
        "--configs",
        "square",
        "--policies",
        "scripted",
    ]
    words += ["--data.episodes", "60", "--data.test_episodes", "1"]
    paths = [tmp_path / f"{name}.parquet" for name in ("a", "b")]
    words += ["--dataset", paths[0], "--test", paths[1], "--work", tmp_path / "work"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        while len(list((tmp_path / "work").rglob("0*.parquet"))) < 5:
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert not paths[0].exists()
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    first = [path.read_bytes() for path in paths]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    assert first == [path.read_bytes() for path in paths]


def test_a_checkpoint_plays_as_it_was_trained_beside_a_random_policy(toy, tmp_path):
    path, test = make(tmp_path, configs=(), checkpoints=[toy], policies=["agent", "random"])
    header = trajectory.header(path, "dataset")
    assert header["task"] == "tests.toy_world" and header["policies"][0]["step"] is not None
    found = Episodes(path, tmp_path)
    told = found.images[:, 0, 0]
    np.testing.assert_array_equal(told[:, :2], found.position)
    assert len(found.length) == 6 and found.spaces.action.classes == 5


def test_a_checkpoint_of_another_world_is_refused(toy, tmp_path):
    with pytest.raises(Refused, match="was trained in another world"):
        make(tmp_path, checkpoints=[toy], policies=["agent"])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"policies": ["greedy"]}, "policies are .'greedy'., but take some of agent, random"),
        ({"policies": ["agent"]}, "the policy agent and --checkpoints go together"),
        ({"configs": ["crafter_small"]}, "crafter has no scripted policy"),
        ({"files": ["a.npz"]}, "--files goes with neither"),
        ({"policies": ["random", "random"]}, "each of them once"),
        ({"overrides": {"data.episodes": 1}}, "data.episodes is 1, but 2 policies"),
        ({"overrides": {"data.episodes": 0}}, "data.episodes is 0, but must be above zero"),
        ({"overrides": {"data.epsodes": 1}}, "no option 'data.epsodes'; did you mean"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_sentence(changes, words, tmp_path):
    with pytest.raises(Refused, match=words):
        make(tmp_path, **changes)


def from_files(folder, *paths, share=0.25):
    """(data set, test data set) from files."""
    made = folder / "files.parquet", folder / "files_test.parquet"
    dataset.main(*made, files=list(paths), overrides={"data.test_share": share})
    return made


def test_files_are_split_by_episode_and_keep_their_steps(made, tmp_path):
    paths = from_files(tmp_path, *made)
    counts = [len(episodes(path)) for path in paths]
    assert counts == [8, 2]
    keys = [tuple(rows["image"]) for path in paths for rows in episodes(path)]
    assert set(keys) == {tuple(rows["image"]) for path in made for rows in episodes(path)}
    header = trajectory.header(paths[0], "dataset")
    assert header["task"] == "square" and header["env"]["square"]["size"] == 32


def test_an_episode_that_is_there_twice_is_refused(made, tmp_path):
    shutil.copy(made[0], tmp_path / "copy.parquet")
    with pytest.raises(Refused, match="show the same images; leave one out"):
        from_files(tmp_path, made[0], tmp_path / "copy.parquet")


def test_an_episode_that_is_there_in_two_kinds_of_files_is_refused(made, tmp_path):
    dataset.reading.export(made[0], tmp_path / "copy.npz")
    with pytest.raises(Refused, match="show the same images; leave one out"):
        from_files(tmp_path, made[0], tmp_path / "copy.npz")


def test_files_with_other_actions_or_images_are_refused(made, tmp_path):
    archive(tmp_path / "other.npz", np.random.default_rng(0), width=2)
    with pytest.raises(Refused, match="2 numbers as action.* and 5 kinds|images of"):
        from_files(tmp_path, made[0], tmp_path / "other.npz")


def archive(path, rng, width=2, lengths=(5, 9, 7), size=8):
    """Write an .npz; the items that it holds."""
    items = []
    for length in lengths:
        action = rng.normal(size=(length, width)) if width else rng.integers(4, size=length)
        items.append({
            "image": rng.integers(256, size=(length, size, size, 3), dtype=np.uint8),
            "action": action.astype(np.float32 if width else np.int32),
            "reward": np.append(0, rng.normal(size=length - 1)).astype(np.float32),
            "is_terminal": np.arange(length) == (length - 1 if length > 5 else -1),
        })  # fmt: skip
    npz.write(
        path,
        lambda: iter(items),
        len(items),
        max(lengths),
        (size, size, 3),
        width,
        0 if width else 4,
    )
    return items


def same(one, two, last):
    """Whether two episodes are equal; of the last row's action nothing came."""
    assert one.keys() == two.keys()
    for name, values in one.items():
        rows = slice(0, -1 if last and name == "action" else None)
        np.testing.assert_array_equal(values[rows], two[name][rows])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 3), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 99))
def test_npz_gives_back_what_was_written(tmp_path_factory, width, lengths, seed):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    items = archive(path, np.random.default_rng(seed), width, lengths)
    found = npz.Reader(path)
    assert found.width == width and found.classes == (0 if width else 4)
    for one, two in zip(items, found, strict=True):
        same(one, two, last=False)


@pytest.mark.parametrize("width", [0, 2], ids=["discrete", "continuous"])
def test_npz_to_a_data_set_and_back_changes_nothing(tmp_path, width):
    items = archive(tmp_path / "in.npz", np.random.default_rng(1), width)
    dataset.main(tmp_path / "a.parquet", files=[tmp_path / "in.npz"], npz=tmp_path / "out.npz")
    back = npz.Reader(tmp_path / "out.npz")
    assert back.width == width and back.classes == (0 if width else 4)
    for one, two in zip(items, back, strict=True):
        same(one, two, last=False)
    assert (tmp_path / "in.npz").read_bytes() == (tmp_path / "out.npz").read_bytes()
    found = Episodes(tmp_path / "a.parquet", tmp_path)
    assert found.action.dtype == (np.float32 if width else np.int32)
    np.testing.assert_array_equal(found.reward, np.concatenate([item["reward"] for item in items]))


def test_a_plain_npz_of_others_is_read_with_its_rewards_moved_to_the_next_frame(tmp_path):
    rng = np.random.default_rng(2)
    frames = rng.integers(256, size=(2, 6, 8, 8, 3), dtype=np.uint8)
    actions = rng.normal(size=(2, 6, 3)).astype(np.float32)
    dones = np.zeros((2, 6), np.float32)
    dones[:, -1] = 1
    rewards = np.arange(12, dtype=np.float32).reshape(2, 6)
    np.savez(tmp_path / "a.npz", frames=frames, actions=actions, rewards=rewards, dones=dones)
    one, two = npz.Reader(tmp_path / "a.npz")
    np.testing.assert_array_equal(two["reward"], [0, 6, 7, 8, 9, 10])
    np.testing.assert_array_equal(two["action"], actions[1])
    np.testing.assert_array_equal(one["image"], frames[0])
    assert not one["is_terminal"].any()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"frames": np.zeros((2, 3, 8, 8, 3))}, "not uint8"),
        ({"rewards": np.zeros((2, 4))}, "do not belong to frames"),
        ({"dones": None}, "lacks dones"),
        ({"actions": None}, "holds no actions"),
        ({"actions": np.full((2, 3), 0.5)}, "one action per step as float64; give classes"),
        ({"actions": np.full((2, 3), 7), "action_classes": 5}, "has action 7, but its action_cl"),
    ],
)
def test_an_npz_that_does_not_fit_is_refused(tmp_path, change, words):
    arrays = {"frames": np.zeros((2, 3, 8, 8, 3), np.uint8), "actions": np.zeros((2, 3, 2))}
    arrays |= {"rewards": np.zeros((2, 3)), "dones": np.zeros((2, 3))} | change
    np.savez(
        tmp_path / "a.npz", **{name: item for name, item in arrays.items() if item is not None}
    )
    with pytest.raises(Refused, match=words):
        from_files(tmp_path, tmp_path / "a.npz")


def test_a_cut_off_npz_is_refused(tmp_path):
    archive(tmp_path / "a.npz", np.random.default_rng(0))
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(Refused, match="cut off or no .npz file"):
        from_files(tmp_path, tmp_path / "a.npz")


def test_frames_without_actions_are_unlabelled_beside_others_that_have_them(tmp_path):
    rng = np.random.default_rng(3)
    archive(tmp_path / "a.npz", rng)
    frames = rng.integers(256, size=(2, 4, 8, 8, 3), dtype=np.uint8)
    zeros = np.zeros((2, 4), np.float32)
    np.savez(tmp_path / "b.npz", frames=frames, rewards=zeros, dones=zeros)
    dataset.main(tmp_path / "c.parquet", files=[tmp_path / "a.npz", tmp_path / "b.npz"])
    found = Episodes(tmp_path / "c.parquet", tmp_path)
    assert found.labelled[found.policy == 0].all() and not found.labelled[found.policy == 1].any()
    places = np.array([[3, 0], [4, 0]])
    assert not found.windows(places, 4)["known"].any()


def test_a_recording_becomes_a_data_set(toy, tmp_path, monkeypatch):
    from dreamer import record

    flags = {"record.envs": 2, "record.episodes": 4, "record.cap": 8}
    record.main(toy, tmp_path / "trajectory.parquet", overrides=flags)
    train, test = from_files(tmp_path, tmp_path / "trajectory.parquet")
    found = Episodes(train, tmp_path)
    read = trajectory.read(tmp_path / "trajectory.parquet", ["action", "image"])
    rows = sum(len(rows["step"]) for path in (train, test) for rows in episodes(path))
    assert rows == len(read["action"]) and found.header["task"] == "tests.toy_world"
    assert found.spaces == spaces.from_json(found.header["spaces"])
    assert png.decode(episodes(train)[0]["image"][0]).shape == (64, 64, 3)


def test_random_actions_without_bounds_are_drawn_as_those_from_minus_one_to_one():
    env, rng = gymnasium.Env(), np.random.default_rng(0)
    env.action_space = gymnasium.spaces.Box(np.float32([-np.inf, 2]), np.float32([np.inf, 3]))
    drawn = np.array([dataset.collect.chooser("random", "", env, rng)({}) for _ in range(50)])
    assert (drawn.min(0) >= [-1, 2]).all() and (drawn.max(0) <= [1, 3]).all()
    assert drawn.dtype == np.float32 and (drawn.std(0) > 0.1).all()


def test_several_choices_at_once_are_not_played_for_a_data_set(tmp_path):
    overrides = {"task": "tests.many_spaces:Everything"}
    with pytest.raises(Refused, match="Everything is several choices at once, but data sets hold"):
        dataset.main(tmp_path / "a.parquet", configs=["gym"], overrides=overrides)
    assert not list(tmp_path.iterdir())


def test_a_recording_of_a_suites_task_tells_how_its_world_is_played(tmp_path):
    """So that an agent that learns from it sees images of the same size."""
    overrides = {
        "task": "gym_CarRacing-v3",
        "env.gym.size": [32, 32],
        "env.gym.length": 9,
        "seed": 4,
    }
    tree, path = options.resolve(["gym"], overrides), tmp_path / "r.parquet"
    synthetic.recording(path, 1, 20, (4, 4))
    header = trajectory.header(path) | {"agent": {"options": tree}}
    trajectory.join(tmp_path / "t.parquet", header, [path])
    dataset.main(tmp_path / "d.parquet", files=[tmp_path / "t.parquet"])
    found = trajectory.header(tmp_path / "d.parquet", "dataset")
    assert {name: found[name] for name in ("task", "env", "seed")} == tasks.world(tree)


def test_a_spec_asks_for_the_same_episodes_as_flags(made, tmp_path):
    run = {"name": "v4", "agent": "v4", "configs": ["square", "t0"]}
    run |= {"data": {"policies": ["scripted", "random"], "episodes": 6, "test_episodes": 4}}
    planned = plan.make(configuration.read({"runs": [run]}, ROOT / "rules/config.schema.yaml"))
    files.write_json(tmp_path / "spec.json", planned.spec("dataset", "v4", 0))
    paths = tmp_path / "a.parquet", tmp_path / "b.parquet"
    dataset.main(*paths, spec=tmp_path / "spec.json")
    for one, two in zip(made, paths, strict=True):
        assert episodes(one) == episodes(two)
    with pytest.raises(Refused, match="holds every option, so leave out --policies"):
        dataset.main(*paths, spec=tmp_path / "spec.json", policies=["random"])
