"""Pickled episodes of a fork become a recording, which says what it lacks, or are refused."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamer import foreign_episodes, import_trajectories, png, record, trajectory
from jobs.errors import Refused
from tests import foreign_run

ROOT = Path(__file__).parent.parent
REFERENCE = Path(os.environ.get("DREAM_ATLAS_REFERENCE", ROOT.parent / "shared/data"))


def imported(folder, episodes, **more):
    """The recording made of these episodes, a pickle each."""
    source = foreign_run.save_episodes(folder / "episodes", episodes)
    import_trajectories.main(folder / "trajectory.parquet", source, **more)
    return folder / "trajectory.parquet"


def test_an_old_recording_keeps_every_value_and_names_what_it_lacks(tmp_path):
    episodes = [foreign_run.episode(number) for number in (3, 7)]
    path = imported(tmp_path, episodes)
    read = trajectory.read(path, ["episode", "step", "x", "y", "action", "reward", "is_last"])
    assert read["episode"].tolist() == [3] * 12 + [7] * 12
    for name, key in (("action", "action"), ("reward", "reward")):
        wanted = np.concatenate([found[key] for found in episodes])
        np.testing.assert_allclose(read[name], wanted, rtol=1e-6)
    place = np.concatenate([found["player_pos"] for found in episodes])
    np.testing.assert_array_equal(np.stack([read["x"], read["y"]], 1), place)
    assert np.flatnonzero(read["is_last"]).tolist() == [11, 23]
    header = trajectory.header(path)
    assert list(header["layers"]) == ["dyn/deter", "dyn/stoch"]
    assert header["absent"] == [
        *("drink", "energy", "facing", "food", "health", "is_terminal"),
        *("terrain", "terrain_changed"),
    ]


def test_activity_is_kept_exactly(tmp_path):
    episode = foreign_run.episode(0)
    read = trajectory.read(imported(tmp_path, [episode]), ["dyn/deter", "dyn/stoch"])
    np.testing.assert_array_equal(read["dyn/deter"], episode["deter"])
    np.testing.assert_array_equal(read["dyn/stoch"], episode["stoch"].reshape(12, 12))


def test_images_are_kept_exactly(tmp_path):
    episode = foreign_run.episode(0, 3)
    read = trajectory.read(imported(tmp_path, [episode]), ["image"])["image"]
    np.testing.assert_array_equal([png.decode(image) for image in read], episode["image"])


def test_a_newer_recording_brings_facing_vitals_achievements_and_all_layers(tmp_path):
    path = imported(tmp_path, [foreign_run.newer(0)])
    header = trajectory.header(path)
    assert list(header["layers"]) == ["enc/cnn0", "dyn/deter", "dyn/stoch", "pol/mlp/linear0"]
    assert header["absent"] == ["is_terminal", "terrain", "terrain_changed"]
    read = trajectory.read(path, ["facing", "health", "achievement_collect_wood", "enc/cnn0"])
    assert read["facing"][:2].tolist() == ["down", "left"]
    assert read["achievement_collect_wood"].tolist() == [step // 4 for step in range(12)]
    assert read["enc/cnn0"].shape == (12, 12)


def test_wide_layers_are_capped_but_for_the_belief(tmp_path):
    layers = trajectory.header(imported(tmp_path, [foreign_run.newer(0)], cap=4))["layers"]
    assert layers["enc/cnn0"]["width"] == 4 and layers["enc/cnn0"]["of"] == 12
    assert layers["dyn/stoch"]["width"] == 12


@pytest.mark.parametrize("wrap", [list, lambda found: {"episodes": found, "env_seed": 3}])
def test_all_episodes_in_one_file_are_read_too(tmp_path, wrap):
    episodes = [foreign_run.episode(number) for number in (1, 2)]
    (tmp_path / "all_episodes.pkl").write_bytes(pickle.dumps(wrap(episodes)))
    import_trajectories.main(tmp_path / "one.parquet", tmp_path)
    for name in ("x", "dyn/deter"):
        each = trajectory.read(imported(tmp_path, episodes), [name])[name]
        np.testing.assert_array_equal(trajectory.read(tmp_path / "one.parquet", [name])[name], each)


@pytest.mark.parametrize(
    "word, told", [("true", True), ("false", False), ("unknown", None), (None, None)]
)
def test_whether_the_agent_was_told_its_position_stands_in_the_header(tmp_path, word, told):
    more = {"told_position": word} if word else {}
    path = imported(tmp_path, [foreign_run.episode(0)], **more)
    assert trajectory.header(path)["told_position"] is told


def test_actions_are_crafters(tmp_path):
    world = record.vector.module("crafter").make(
        {"area": [32, 32], "fixed_seed": True, "egocentric_view": 0, "disable_mobs": False,
         "length": 10, "random_spawn": False}, 0, 0).world  # fmt: skip
    assert world["actions"] == foreign_episodes.ACTIONS


def far(number):
    return foreign_run.episode(number, player_pos=np.full((12, 2), 70.0))


def shared(depth):
    """A list of two lists of two lists ..., each kept once: more numbers than any memory holds."""
    found = [0]
    for _ in range(depth):
        found = [found, found]
    return found


def with_one(values, wrong):
    return np.concatenate([np.full_like(values[:1], wrong), values[1:]])


GOOD = foreign_run.episode(0)


@pytest.mark.parametrize(
    "episodes, sentence",
    [
        ([{**GOOD, "player_pos": GOOD["player_pos"] + 0.5}], "no positions .x, y. in whole tiles"),
        ([far(0)], r"visits \(70, 70\) to \(70, 70\), outside a world of 64 x 64 tiles"),
        ([GOOD, {**GOOD, "episode": 5}], "episode_000.pkl and episode_001.pkl hold the same path"),
        ([GOOD, foreign_run.episode(4) | {"episode": 0}], "is episode 0, which another file is"),
        ([{**GOOD, "reward": [0.0] * 5}], "has 12 steps, but not so many of reward"),
        ([{**GOOD, "action": GOOD["action"] + 20}], "actions that are not one of Crafter's 17"),
        ([{**GOOD, "image": GOOD["image"].astype(float)}], "has images of float64"),
        ([{**GOOD, "deter": [[1.0], [1.0, 2.0]]}], "deter whose steps differ in shape"),
        (
            [foreign_run.newer(0), GOOD | {"episode": 1}],
            "episode_001.pkl has no player_facing, which",
        ),
        ([GOOD, foreign_run.episode(1, deter=np.zeros((12, 9)))], "dyn/deter 9 not 6"),
        (
            [{name: GOOD[name] for name in ("player_pos", "action")}],
            "holds no activity of any layer",
        ),
        ([{**GOOD, "player_facing": np.full((12, 2), 3)}], "facing .3, 3., which is none of the"),
        ([{**GOOD, "episode": -1}], "has the number -1"),
        ([[1, 2]], "holds no recorded episodes"),
        ([{"deter": 1}], "holds no recorded episodes"),
        ([{**GOOD, 1: 2}], "holds no recorded episodes"),
        ([{**GOOD, "player_pos": GOOD["player_pos"] - 21}], r"visits \(-1, -1\) to \(3, 3\), out"),
        ([{**GOOD, "player_pos": GOOD["player_pos"].astype(str)}], "player_pos that is no array"),
        ([{**GOOD, "player_pos": GOOD["player_pos"] * 1j}], "player_pos that is no array of numb"),
        ([{**GOOD, "player_pos": shared(40)}], "player_pos with more numbers in lists than can"),
        ([{**GOOD, "player_facing": [shared(40)] * 12}], "player_facing with more numbers in list"),
        ([{**GOOD, "player_facing": np.ones((12, 2, 2))}], "is none of the four directions"),
        ([GOOD, {**GOOD, "deter": with_one(GOOD["deter"], np.nan)}], "001.pkl has deter with NaN"),
        ([{**GOOD, "deter": with_one(GOOD["deter"], -np.inf)}], "deter with NaN or infinity"),
        ([{**GOOD, "stoch": with_one(GOOD["stoch"], 1e30)}], "0 to 1e.30, which .* as float16"),
        ([{**GOOD, "deter": np.zeros((0, 6))}], r"deter of shape \[0, 6\], which is no layer's"),
        ([{**GOOD, "deter": np.zeros((12, 0))}], r"deter of shape \[12, 0\], which is no layer's"),
        ([{**GOOD, "reward": with_one(GOOD["reward"], np.nan)}], "reward with NaN or infinity"),
        ([{**GOOD, "vital_food": np.full(12, 300)}], "vital_food of 300 to 300, which .* int8"),
        ([{**GOOD, "is_terminal": np.full(12, 0.5)}], "is_terminal of 0.5 to 0.5, which .* bool"),
        ([{**GOOD, "image": np.zeros((12, 0, 0, 3), np.uint8)}], r"images of uint8 \[0, 0, 3\]"),
        ([{**GOOD, "episode": 2**40}], "has the number 1099511627776, but"),
        ([{**GOOD, "episode": 10**30}], "holds a whole number of 100 bits"),
        ([{**GOOD, "episode": True}], "has the number True, but"),
        ([{**GOOD, "episode": shared(40)}], "has the number .*, but episodes are counted from 0"),
        ([{**GOOD, "achievements": [{"eat": shared(40)}] * 12}], "achievement eat with more"),
        ([{**GOOD, "achievements": [{1: 2}] * 12}], "achievements whose names are no texts"),
        ([{**GOOD, "act/x": np.ones((12, 3))}], "a layer named 'x', which is another column's"),
    ],
)
def test_what_is_no_recording_is_refused_and_nothing_is_written(tmp_path, episodes, sentence):
    with pytest.raises(Refused, match=sentence):
        imported(tmp_path, episodes)
    assert not (tmp_path / "trajectory.parquet").exists()


@pytest.mark.parametrize(
    "flags, sentence",
    [
        ({"area": [64]}, r"--area, .*, is \[64\], but takes two numbers of tiles"),
        ({"area": [64, 64, 64]}, r"is \[64, 64, 64\], but takes two"),
        ({"area": [0, 64]}, r"is \[0, 64\], but takes two"),
        ({"area": [-1, 5]}, r"is \[-1, 5\], but takes two"),
        ({"area": [10**6, 64]}, "tiles, 1 to 32768"),
        ({"cap": 0}, "--cap, .*, is 0, but takes 1 or more"),
        ({"cap": -1}, "--cap, .*, is -1, but takes 1 or more"),
    ],
)
def test_flags_that_no_recording_can_have_are_refused(tmp_path, flags, sentence):
    with pytest.raises(Refused, match=sentence):
        imported(tmp_path, [GOOD], **flags)


@pytest.mark.parametrize("found", [[], {"episodes": []}, None, {"episodes": 5}])
def test_a_file_of_no_episodes_is_refused(tmp_path, found):
    (tmp_path / "all_episodes.pkl").write_bytes(pickle.dumps(found))
    with pytest.raises(Refused, match="holds no recorded episodes"):
        import_trajectories.main(tmp_path / "trajectory.parquet", tmp_path)


def test_a_folder_without_episodes_is_refused(tmp_path):
    with pytest.raises(Refused, match="neither episode_.*pkl nor all_episodes.pkl"):
        import_trajectories.main(tmp_path / "trajectory.parquet", tmp_path)


def test_the_command_says_what_is_wrong_in_one_sentence_and_exits_with_2(tmp_path):
    command = [sys.executable, "-m", "dreamer.import_trajectories", str(tmp_path), "--out", "x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {tmp_path} holds no recorded episodes")


BOUND = """
import resource, sys
from pathlib import Path
from dreamer import import_trajectories
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import_trajectories.main(Path(sys.argv[1]) / "t.parquet", Path(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_memory_does_not_grow_with_the_number_of_episodes(tmp_path):
    wide = [
        foreign_run.episode(number, 40, deter=np.zeros((40, 20_000), np.float32))
        for number in range(40)
    ]
    foreign_run.save_episodes(tmp_path, wide)  # 3 MB each, 128 MB in all
    command = [sys.executable, "-c", BOUND, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"there is no reference data in {REFERENCE}")
def test_the_reference_recordings_are_imported_step_by_step(tmp_path):
    import_trajectories.main(tmp_path / "t.parquet", REFERENCE / "reference_trajectories")
    read = trajectory.read(tmp_path / "t.parquet", ["episode", "x", "y", "is_first", "action"])
    assert len(np.unique(read["episode"])) == 12 and len(read["x"]) == 1263
    assert (read["x"][read["is_first"]] == 32).all() and (read["y"][read["is_first"]] == 32).all()
    moves = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
    taken = np.where(read["action"] < 5, read["action"], 0)
    moved = np.diff(np.stack([read["x"], read["y"]], 1), axis=0)
    inside = ~read["is_first"][1:]
    still = (moved == 0).all(1)
    assert (still | (moved == moves[taken[:-1]]).all(1))[inside].all()


def own(folder):
    """Run the example of the documentation, which writes mine.parquet."""
    text = (ROOT / "docs/own_recordings.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, check=True, env=environment)
    return folder / "mine.parquet"


def test_a_recording_written_as_documented_is_imported(tmp_path):
    source = own(tmp_path)
    import_trajectories.main(tmp_path / "t.parquet", source, told_position="false")
    header = trajectory.header(tmp_path / "t.parquet")
    assert header["told_position"] is False and list(header["imported"]["files"]) == [
        "mine.parquet"
    ]
    assert trajectory.open_file(tmp_path / "t.parquet").num_row_groups == 12
    for name in ("x", "rnn/state"):
        one, other = (
            trajectory.read(path, [name])[name] for path in (source, tmp_path / "t.parquet")
        )
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"absent": ["reward"]}, "has other columns than its header says: "),
        ({"layers": {}}, "has other columns than its header says: "),
        ({"area": None}, "has a header without area"),
        ({"area": [64]}, r"the area in .* is \[64\], but takes two numbers"),
        ({"area": [9, 16]}, "has x from 0 to 15, not 0 to 8"),
    ],
)
def test_a_recording_that_breaks_the_contract_is_refused(tmp_path, changes, sentence):
    source = own(tmp_path)
    file = trajectory.pq.read_table(source)
    header = trajectory.json.loads(file.schema.metadata[trajectory.KEY])
    header = {key: value for key, value in (header | changes).items() if value is not None}
    metadata = {trajectory.KEY: trajectory.json.dumps(header).encode()}
    trajectory.pq.write_table(file.replace_schema_metadata(metadata), source)
    with pytest.raises(Refused, match=sentence):
        import_trajectories.main(tmp_path / "t.parquet", source)
