"""Distances to walls: which way they point, what counts as a wall, and what lacks."""

import numpy as np

from analysis import walls
from tests import synthetic


def test_distances_count_the_tiles_to_the_first_wall_in_each_direction():
    enterable = np.ones((5, 4), bool)
    enterable[3, 1] = False
    left, right, up, down = walls.distances(enterable)[:, 1, 1]
    assert (left, right, up, down) == (2, 2, 2, 3)
    assert list(walls.distances(enterable)[0, :, 1]) == [1, 2, 3, 4, 1]


def test_water_and_trees_are_walls_but_lava_and_sand_are_not(tmp_path):
    terrain = np.full((7, 3), synthetic.GRASS, np.uint8)
    terrain[0, 1], terrain[2, 1], terrain[6, 1] = synthetic.WATER, synthetic.LAVA, synthetic.TREE
    terrain[4, 1] = synthetic.SAND
    synthetic.recording(tmp_path / "t.parquet", 2, 5, terrain=terrain)
    episode, x, y = np.array([0, 1]), np.array([3, 5]), np.array([1, 1])
    found = walls.around(tmp_path / "t.parquet", episode, x, y)
    assert found.tolist() == [[3, 3, 2, 2], [5, 1, 2, 2]]


def test_without_terrain_nothing_is_known_of_walls(tmp_path):
    path, absent = tmp_path / "t.parquet", ["terrain", "terrain_changed"]
    synthetic.recording(path, 1, 5, absent=absent)
    assert walls.around(path, np.zeros(1, int), np.zeros(1, int), np.zeros(1, int)) is None
