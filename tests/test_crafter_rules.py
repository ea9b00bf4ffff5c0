"""Crafter's options do what they say, and `info` tells where the agent is at every step."""

import json

import crafter as package
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.envs import crafter
from dreamer.trajectory import FACINGS
from jobs.errors import Refused
from tests.crafter_play import STEPS, anything, digest, make, moves, play


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
        ({"area": [64, "x"]}, r"area is \[64, 'x'\], but takes a list of whole numbers"),
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
