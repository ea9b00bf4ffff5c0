"""Crafter is one game per seed, whoever plays it, wherever, and however it is drawn."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import crafter as package
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import options
from dreamer.envs import crafter
from dreamer.trajectory import FACINGS
from jobs.errors import Refused

ROOT = Path(__file__).parent.parent
STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])  # of the actions 1 to 4 and of the facings
VARIANTS = {
    "mobs": {"fixed_seed": False},
    "no mobs": {"disable_mobs": True},
    "random spawn": {"random_spawn": True},
    "egocentric": {"egocentric_view": 7, "random_spawn": True},
}


def make(world_seed=3, spawn_seed=4, **changes):
    overrides = {"area": [24, 24], **changes}  # small worlds are made quickly
    tree = options.resolve((), {f"env.crafter.{name}": item for name, item in overrides.items()})
    return crafter.make(tree["env"]["crafter"], world_seed, spawn_seed)


def play(env, actions, immortal=False, options=None):
    """Rows (observation, reward, terminated, truncated, info), one more than actions.

    After an episode's last row comes the first of the next. An immortal player is fed before each
    step; only lava and the time limit end its episodes.
    """
    rows, over = [], True
    for action in [0, *actions]:
        if over:
            observation, info = env.reset(options=options)
            options, row = None, (observation, 0.0, False, False, info)
        else:
            if immortal:
                feed(env)
            row = env.step(action)
        over = row[2] or row[3]
        rows.append(row)
    return rows


def feed(env):
    env._game.player.inventory.update(health=9, food=9, drink=9, energy=9)


def anything(steps, seed=0):
    return np.random.default_rng(seed).integers(17, size=steps)


def moves(steps):
    return np.random.default_rng(0).integers(1, 5, size=steps)


def digest(rows):
    """One hash over everything that the rows hold."""
    total = hashlib.sha256()
    for observation, reward, terminated, truncated, info in rows:
        total.update(observation["image"].tobytes())
        total.update(repr((reward, terminated, truncated)).encode())
        total.update(b"".join(np.asarray(info[name]).tobytes() for name in sorted(info)))
    return total.hexdigest()


def marathons(names=tuple(VARIANTS)):
    """{variant: [steps of the longest whole episode, digest of 1100 steps]}, played here."""
    found = {}
    for name in names:
        rows = play(make(length=1000, **VARIANTS[name]), anything(1100), immortal=True)
        ends = [0, *(index for index, row in enumerate(rows) if row[2] or row[3])]
        found[name] = [int(max(np.diff(ends))), digest(rows)]
    return found


@pytest.fixture(scope="module")
def here():
    return marathons()


def test_two_processes_play_the_same_long_episodes_byte_for_byte(here):
    code = (
        "import json; from tests import test_crafter; print(json.dumps(test_crafter.marathons()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == here
    assert all(longest >= 1000 for longest, _ in here.values())


def test_a_second_play_after_other_worlds_equals_the_first(here):
    play(make(world_seed=99, area=[32, 20]), anything(100))
    assert marathons(["egocentric", "mobs"]).items() <= here.items()


@pytest.mark.parametrize("changes", [{"fixed_seed": False}, {"random_spawn": True}])
def test_an_episode_played_alone_equals_the_one_in_a_sequence(changes):
    env, numbers = make(length=50, **changes), (3, 0, 2, 1)
    sequence = [digest(play(env, anything(50), immortal=True)) for _ in range(4)]
    alone = [
        play(make(length=50, **changes), anything(50), immortal=True, options={"n_resets": number})
        for number in numbers
    ]
    assert [digest(rows) for rows in alone] == [sequence[k] for k in numbers]
    assert len(set(sequence)) == 4


def test_the_game_is_the_packages_own_once_its_objects_are_ordered(monkeypatch):
    """Stock Crafter with the hash of an object = its index in its world, by day and by night."""

    def add(world, obj, original=package.engine.World.add):
        obj.index = len(world._objects)
        original(world, obj)

    monkeypatch.setattr(package.engine.World, "add", add)
    monkeypatch.setattr(package.objects.Object, "__hash__", lambda obj: obj.index, raising=False)
    stock, ours = package.Env(area=(32, 32), seed=3), make(area=[32, 32], fixed_seed=False)
    for seed in range(3):
        image = stock.reset()
        rows = play(ours, anything(400, seed), options={"n_resets": seed})
        for action, row in zip([None, *anything(400, seed)], rows, strict=True):
            if action is not None:
                image, reward, done, facts = stock.step(action)
                assert (reward, done) == (row[1], row[2])
                np.testing.assert_array_equal(facts["player_pos"], row[4]["position"])
            np.testing.assert_array_equal(image, row[0]["image"])
            if row[2]:
                break


def test_worlds_are_the_same_without_compiled_noise():
    code = "import sys; from tests.test_crafter import *; print(digest(play(make(), [])))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(play(make(), []))


def test_position_moves_only_along_the_action_and_facing_follows_the_attempt():
    actions = moves(600)
    rows = play(make(disable_mobs=True, random_spawn=True), actions)
    blocked = 0
    for before, action, after in zip(rows, actions, rows[1:], strict=False):
        if "terrain" in after[4]:
            assert after[4]["facing"] == FACINGS.index("down")
            continue
        step = after[4]["position"] - before[4]["position"]
        assert not step.any() or (step == STEPS[action - 1]).all()
        assert after[4]["facing"] == action - 1
        blocked += not step.any()
    assert 0 < blocked < 600


def reachable(terrain, walkable, start):
    found, queue = set(), [start]
    while queue:
        tile = queue.pop()
        inside = all(0 <= place < side for place, side in zip(tile, terrain.shape, strict=True))
        if inside and tile not in found and terrain[tile] in walkable:
            found.add(tile)
            queue += [(tile[0] + x, tile[1] + y) for x, y in STEPS.tolist()]
    return found


@settings(max_examples=15, deadline=None)
@given(world_seed=st.integers(0, 2**32 - 2), spawn_seed=st.integers(0, 2**32 - 2))
def test_spawns_are_reachable_on_foot_from_the_centre(world_seed, spawn_seed):
    env = make(world_seed, spawn_seed, random_spawn=True, fixed_seed=False)
    _, info = env.reset()
    around = reachable(info["terrain"], env.world["walkable"], (12, 12))
    assert tuple(info["position"].tolist()) in around


def test_spawns_differ_between_resets_and_only_when_asked():
    def spawns(env):
        return {tuple(env.reset()[1]["position"].tolist()) for _ in range(12)}

    assert len(spawns(make(random_spawn=True))) > 9
    assert spawns(make()) == {(12, 12)}
    assert spawns(make(random_spawn=True)) != spawns(make(random_spawn=True, spawn_seed=5))


def test_the_world_is_fixed_or_new_each_episode():
    def worlds(env):
        return {env.reset()[1]["terrain"].tobytes() for _ in range(3)}

    assert len(worlds(make(random_spawn=True))) == 1
    assert len(worlds(make(fixed_seed=False))) == 3


def test_extra_drawing_does_not_change_the_episode():
    drawn, left = make(random_spawn=True), make(random_spawn=True)
    for env in (drawn, left):
        env.reset()
    for action in anything(220):
        assert drawn.render().shape == (64, 64, 3)
        assert drawn.world_image(unit=4).shape == (24 * 4, 24 * 4, 3)
        pair = [env.step(action) for env in (drawn, left)]
        assert digest(pair[:1]) == digest(pair[1:])
        for env in (drawn, left):
            feed(env)
    assert drawn._game.world.daylight < 0.5  # at night drawing takes random numbers


def test_the_view_changes_the_picture_and_nothing_else():
    """So objects move within the same distance whatever is seen, and night takes its numbers."""
    envs = [make(area=[64, 64], egocentric_view=view) for view in (0, 3, 9, 31)]
    for env in envs:
        env.reset()
    for action in anything(220):
        rows = [env.step(action) for env in envs]
        assert len({digest([({"image": np.zeros(0)}, *row[1:])]) for row in rows}) == 1
        places = [[obj.pos.tolist() for obj in env._game.world.objects] for env in envs]
        assert places[1:] == places[:-1]
        for env in envs:
            feed(env)
    assert len({row[0]["image"].tobytes() for row in rows}) == 4
    assert envs[0]._game.world.daylight < 0.5


@pytest.mark.parametrize("view", [0, 3, 9])
def test_the_map_part_shows_the_tiles_around_the_player(view):
    env = make(egocentric_view=view, disable_mobs=True)
    image = env.reset()[0]["image"]
    columns, rows = (9, 7) if view == 0 else (view, view)
    unit, whole = env._camera._unit, env._game.textures
    terrain = env._game.world.terrain[12 - columns // 2 :, 12 - rows // 2 :][:columns, :rows]
    x, y = env._camera._border
    for (column, row), tile in np.ndenumerate(terrain):
        if env._game.world.occupied[12 - columns // 2 + column, 12 - rows // 2 + row]:
            continue
        texture = whole.get(env.world["materials"][tile], unit)[..., :3].transpose(1, 0, 2)
        left, top = x + column * unit[0], y + row * unit[1]
        shown = image[top : top + unit[1], left : left + unit[0]]
        assert np.abs(shown.astype(int) - texture).max() < 40  # the light of the morning


def test_without_mobs_no_zombie_and_no_skeleton_ever_appears():
    seen = {True: set(), False: set()}
    for quiet, kinds in seen.items():
        env = make(area=[48, 48], disable_mobs=quiet)
        env.reset()
        for action in anything(300):
            env.step(action)
            kinds |= {type(obj).__name__ for obj in env._game.world.objects}
    assert seen[False] >= {"Zombie", "Skeleton", "Cow"}
    assert seen[True] <= {"Player", "Cow", "Plant"}


def test_mobs_do_not_change_the_terrain():
    pair = [make(disable_mobs=quiet).reset()[1]["terrain"] for quiet in (True, False)]
    np.testing.assert_array_equal(*pair)


def test_the_time_limit_truncates_and_death_terminates():
    rows = play(make(length=5), moves(5))
    assert [row[2:4] for row in rows] == [(False, False)] * 5 + [(False, True)]
    env = make()
    env.reset()
    env._game.player.health = 0
    _, reward, terminated, truncated, info = env.step(0)
    assert (terminated, truncated) == (True, False) and reward == pytest.approx(-0.9)
    assert info["vitals"][0] == 0


def test_info_says_where_the_agent_is_at_every_step():
    rows = play(make(length=20), anything(40))
    for row in rows:
        info = {
            name: (np.shape(item), np.asarray(item).dtype.kind) for name, item in row[4].items()
        }
        first, last = info.pop("terrain", None), info.pop("terrain_changed", None)
        assert info == {
            "position": ((2,), "i"),
            "facing": ((), "i"),
            "vitals": ((4,), "i"),
            "achievements": ((22,), "i"),
        }
        assert (first is not None) == (row is rows[0] or row is rows[21])
        assert (last is not None) == row[3]
        assert {first, last} <= {None, ((24, 24), "u")}
    assert rows[0][4]["vitals"].tolist() == [9] * 4 and not rows[0][4]["achievements"].any()


def test_changed_tiles_are_marked_even_if_changed_back():
    env = make(length=3)
    _, info = env.reset()
    names, ahead = env.world["actions"], tuple(info["position"] + (0, 1))
    env._game.player.inventory.update(wood=9, sapling=1)
    env.step(names.index("place_table"))
    env._game.world[ahead] = env.world["materials"][info["terrain"][ahead]]
    env.step(0)
    info = env.step(0)[4]
    assert list(zip(*np.nonzero(info["terrain_changed"]), strict=True)) == [ahead]
    placed = env.world["achievements"].index("place_table")
    assert info["achievements"].tolist() == [int(index == placed) for index in range(22)]


def test_the_world_names_its_ids():
    env = make()
    world, terrain = env.world, env.reset()[1]["terrain"]
    names = {world["materials"][index] for index in np.unique(terrain)}
    assert {"grass", "tree"} <= names <= set(package.constants.materials)
    assert [world["materials"][index] for index in world["walkable"]] == ["grass", "path", "sand"]
    assert set(world["enterable"]) - set(world["walkable"]) == {world["materials"].index("lava")}
    assert world["achievements"] == sorted(world["achievements"]) and len(world["actions"]) == 17
    json.dumps(world)


def test_gymnasium_accepts_the_environment():
    check_env(make(), skip_render_check=True)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"egocentric_view": 4}, "egocentric_view is 4, but takes 0 or an odd number, 3 to 31"),
        ({"egocentric_view": 33}, "egocentric_view is 33"),
        ({"egocentric_view": 1}, "egocentric_view is 1"),
        ({"egocentric_view": 31}, r"area is \[24, 24\], smaller than the view of 31 x 31 tiles"),
        ({"area": [8, 64]}, "smaller than the view of 9 x 7 tiles"),
        ({"area": [64]}, "takes two whole numbers"),
        ({"area": [64, "x"]}, "takes two whole numbers"),
        ({"length": 0}, "at least one step"),
    ],
)
def test_options_that_crafter_cannot_play_are_refused(changes, sentence):
    with pytest.raises(Refused, match=sentence):
        make(**changes)


@pytest.mark.parametrize("fixed, spawn, sample", list(np.ndindex(2, 2, 2)))
def test_only_episodes_that_would_all_be_equal_are_refused(fixed, spawn, sample):
    chosen = {"fixed_seed": bool(fixed), "random_spawn": bool(spawn)}
    if (fixed, spawn, sample) == (1, 0, 0):
        with pytest.raises(Refused, match="every episode would be the same"):
            crafter.check_varied(chosen, bool(sample))
    else:
        crafter.check_varied(chosen, bool(sample))
        env = make(**chosen)
        episodes = [play(env, anything(30, seed=sample * k)) for k in range(2)]
        assert digest(episodes[0]) != digest(episodes[1])
