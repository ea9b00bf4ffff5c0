"""Crafter is one game per seed, whoever plays it, wherever, and however it is drawn."""

import math

import crafter as package
import numpy as np
import pytest

from tests import elsewhere
from tests.crafter_play import anything, digest, feed, make, play

VARIANTS = {
    "mobs": {"fixed_seed": False},
    "no mobs": {"disable_mobs": True},
    "random spawn": {"random_spawn": True},
    "egocentric": {"egocentric_view": 7, "random_spawn": True},
}


def marathons(names=tuple(VARIANTS)):
    """{variant: [steps of the longest whole episode, digest of 1100 steps]}, played here."""
    found = {}
    for name in names:
        rows = play(make(length=1000, **VARIANTS[name]), anything(1100), immortal=True)
        ends = [0, *(index for index, row in enumerate(rows) if row[2] or row[3])]
        found[name] = [int(max(np.diff(ends))), digest(rows)]
    return found


def untouched():
    """Digest of a world before the first action."""
    return digest(play(make(), []))


@pytest.fixture(scope="module")
def here():
    return marathons()


def test_two_processes_play_the_same_long_episodes_byte_for_byte(here):
    assert elsewhere.call("test_crafter", "marathons") == here
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
    assert elsewhere.call("test_crafter", "untouched", NUMBA_DISABLE_JIT="1") == untouched()


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


@pytest.mark.parametrize("view", [0, 3, 9, 31])
def test_every_view_is_drawn_as_the_package_draws_it_up_to_the_corners(view):
    shape = (view, view + math.ceil(16 / view)) if view else (9, 9)
    stock = package.Env(area=(32, 32), view=shape, seed=3)
    ours = make(area=[32, 32], fixed_seed=False, egocentric_view=view)
    np.testing.assert_array_equal(stock.reset(), ours.reset()[0]["image"])
    for corner in ((0, 0), (31, 31), (0, 16)):
        for world, player in ((stock._world, stock._player), (ours._game.world, ours._game.player)):
            assert world[corner][1] is None
            world.move(player, corner)
            player.inventory.update(wood=corner[0], sapling=1)
            player.sleeping = corner[1] == 16
        np.testing.assert_array_equal(stock.render(), ours.render())
