"""The moving square is one game per seed, and its rules are simple enough to be known."""

from hashlib import sha256

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import options
from dreamer.envs import square, vector
from jobs.errors import Refused
from tests import elsewhere

RED, BLUE, YELLOW = ([round(255 * part) for part in colour]
                     for colour in (square.SQUARE, square.GOAL, square.HAZARD))  # fmt: skip


def make(world_seed=0, spawn_seed=0, **changes):
    tree = options.resolve(
        ["square"], {f"env.square.{name}": value for name, value in changes.items()}
    )
    return square.make(tree["env"]["square"], world_seed, spawn_seed)


def play(env, actions, resets=0):
    """Rows (image, info, reward, terminated, truncated) of episodes from `resets` on."""
    image, info = env.reset(options={"n_resets": resets})
    rows = [(image["image"], info, 0.0, False, False)]
    for action in actions:
        if rows[-1][3] or rows[-1][4]:
            image, info = env.reset()
            rows.append((image["image"], info, 0.0, False, False))
            continue
        image, *rest, info = env.step(action)
        rows.append((image["image"], info, *rest))
    return rows


def digest(seed=3):
    actions = np.random.default_rng(0).integers(5, size=200)
    parts = [
        row[0].tobytes() + row[1]["position"].tobytes() for row in play(make(seed, seed), actions)
    ]
    return sha256(b"".join(parts)).hexdigest()


def test_two_processes_play_the_same_game_byte_for_byte():
    assert elsewhere.call("test_square", "digest") == digest()
    assert digest(4) != digest()


def test_an_episode_can_be_played_without_those_before_it():
    actions = np.ones(40, int)
    later = play(make(), actions, resets=2)
    env = make()
    for _ in range(3):
        whole = play(env, actions, resets=env.n_resets)
    assert all((a[0] == b[0]).all() for a, b in zip(whole, later, strict=True))


def test_gymnasium_finds_nothing_wrong():
    check_env(make(hazard=True), skip_render_check=True)


def places(image, colour):
    """(x, y) of the pixels of a colour."""
    y, x = (image == colour).all(-1).nonzero()
    return x, y


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_the_picture_shows_the_position_and_moves_are_three_pixels(episode, actions):
    rows = play(make(), actions, resets=episode)
    for (image, info, *_), after, action in zip(
        rows, [*rows[1:], None], [*actions, None], strict=True
    ):
        x, y = places(image, RED)
        assert [x.min(), y.min()] == (3 * info["position"]).tolist()
        assert (x.max() - x.min(), y.max() - y.min()) == (7, 7)
        if after and not (after[2] is None or "terrain" in after[1]):
            moved = np.clip(info["position"] + square.MOVES[action], 0, 8)
            assert (after[1]["position"] == moved).all()
            assert after[1]["facing"] == (action - 1 if action else info["facing"])


def overlap(place, other):
    """Whether the 8 pixels of the square and the 4 in the middle of a tile overlap."""
    return all(
        3 * p < 3 * o + 6 and 3 * o + 2 < 3 * p + 8 for p, o in zip(place, other, strict=True)
    )


@pytest.mark.parametrize("seed", range(3))
def test_touching_the_goal_gives_one_and_the_next_step_moves_it(seed):
    rng, env = np.random.default_rng(seed), make()
    for _ in range(20):
        _, info = env.reset()
        reward = 0.0
        assert not overlap(info["position"], info["goal"])
        for _ in range(39):
            before, moves = info["goal"], bool(reward)
            *_, reward, dead, late, info = env.step(rng.integers(5))
            assert reward == overlap(info["position"], info["goal"]) and not dead and not late
            assert (info["goal"] != before).any() == moves
            assert not (moves and reward)


def test_the_hazard_ends_an_episode_and_nothing_else_does_before_the_limit():
    env, ends = make(hazard=True), []
    for seed in range(40):
        image, info = env.reset()
        x, y = places(image["image"], YELLOW)
        hazard = (np.array([x.min(), y.min()]) - 2) // 3
        rng, over, steps = np.random.default_rng(seed), False, 0
        while not over:
            image, _, dead, late, info = env.step(rng.integers(5))
            steps, over = steps + 1, dead or late
            assert dead == overlap(info["position"], hazard)
            assert late == (steps == 40 and not dead)
        assert "terrain_changed" in info
        ends.append(dead)
    assert any(ends) and not all(ends)


def test_the_ground_is_textured_and_its_own_in_each_episode_unless_it_is_fixed():
    env = make()
    grounds = [square.ground(np.random.default_rng([0, episode]), 32) for episode in range(3)]
    for episode, ground in enumerate(grounds):
        image = env.reset(options={"n_resets": episode})[0]["image"]
        own = ~((image == RED) | (image == BLUE)).all(-1)
        assert (image == ground)[own].mean() > 0.98
        assert ground.min() >= 51 and ground.max() <= 204 and ground.std() > 15
    assert (grounds[0] != grounds[1]).mean() > 0.9
    fixed = [
        make(0, spawn, fixed_seed=True).reset(options={"n_resets": spawn})[0] for spawn in (1, 2)
    ]
    assert (fixed[0]["image"] == fixed[1]["image"]).mean() > 0.6


def returns(policy, episodes=60):
    env, found = make(), []
    for episode in range(episodes):
        _, info = env.reset()
        act, total, over = policy(np.random.default_rng([7, episode])), 0, False
        while not over:
            _, reward, dead, late, info = env.step(act(info))
            total, over = total + reward, dead or late
        found.append(total)
    return np.array(found)


def test_the_scripted_policy_beats_chance_and_differs_between_episodes():
    chance = returns(lambda rng: lambda info: int(rng.integers(5)))
    own = returns(square.scripted)
    assert own.mean() > 2 * chance.mean() and own.std() > 1
    assert (own == returns(square.scripted)).all()


def test_environments_side_by_side_share_the_ground_only_where_it_is_fixed():
    for fixed in (True, False):
        tree = options.resolve(["square"], {"env.square.fixed_seed": fixed})
        images = [vector.build("square", tree["env"]["square"], 0, 0, index).reset()[0]["image"]
                  for index in range(2)]  # fmt: skip
        assert ((images[0] == images[1]).mean() > 0.5) == fixed


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"move": 5}, "move is 5, but must divide"),
        ({"goal": 3}, "goal is 3, but must be"),
        ({"square": 40, "goal": 4}, "must divide"),
        ({"length": 0}, "length is 0"),
    ],
)
def test_a_grid_that_does_not_work_is_refused(changes, words):
    with pytest.raises(Refused, match=words):
        make(**changes)
