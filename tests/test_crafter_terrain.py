"""Worlds made at once are the package's worlds, made tile by tile, whatever their seed and size."""

import numpy as np
from crafter import objects, worldgen
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.envs import crafter_game, crafter_terrain


def world(generate, area, seed, banned):
    """Everything that a generated world holds, its random numbers included."""
    made = crafter_game.World(area, banned)
    made.reset(seed)
    player = objects.Player(made, np.array(area) // 2)
    made.add(player)
    generate(made, player)
    chunks = {key: sorted(obj.index for obj in objs) for key, objs in made.chunks.items()}
    found = [(type(obj), obj.pos.tolist()) for obj in made.objects]
    _, numbers, place, *_ = made.random.get_state()
    return found, chunks, place, made.terrain.tobytes(), made.occupied.tobytes(), numbers.tobytes()


@given(
    area=st.tuples(st.integers(9, 64), st.integers(9, 64)),
    seed=st.integers(0, 2**31 - 2),
    mobs=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_every_world_is_the_packages_down_to_the_next_random_number(area, seed, mobs):
    banned = () if mobs else crafter_game.MOBS
    ours = world(crafter_terrain.generate, area, seed, banned)
    assert ours == world(worldgen.generate_world, area, seed, banned)


def test_tiles_are_counted_anew_after_the_terrain_changed():
    made = crafter_game.World((24, 24))
    chunk = (12, 24, 0, 12)
    assert made.count_in(chunk, "sand") == 0
    made[13, 5] = "sand"
    assert made.count_in(chunk, "sand") == 1 and made.count_in((0, 12, 0, 12), "sand") == 0
