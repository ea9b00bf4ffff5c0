"""A square that is moved over a textured ground and looks for goals: a world with known dynamics.

The square's place is a tile of the grid of its moves, so the same questions about space can be
asked here as in Crafter. Colours and rules are those of the toy data that DreamerV4 is checked on.
In the shapes, S is the side of the image in pixels, W the tiles of a side; x comes first and y
grows downward.
"""

import gymnasium
import numpy as np
from PIL import Image

from dreamer import checks
from dreamer.columns import FACINGS, VITALS
from dreamer.envs.numbered import Numbered

ACTIONS = ("stay", *FACINGS)
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
SQUARE, GOAL, HAZARD = (0.95, 0.1, 0.1), (0.1, 0.1, 0.95), (0.95, 0.95, 0.1)  # red, green, blue
DARK, LIGHT = 0.2, 0.8  # of the ground
PATCHES = 4  # of random colour along a side of the ground, which is interpolated between them
EASE = (0.3, 1.0)  # chance of a random action in an episode of the scripted policy


def make(options, world_seed, spawn_seed):
    """The environment for the options env.square, or a refusal; both seeds are whole numbers."""
    checks.check_square(options)
    return Square(options, world_seed, spawn_seed)


def tiles(options):
    """Tiles W of a side: places of the square."""
    return (options["size"] - options["square"]) // options["move"] + 1


class Square(Numbered):
    """A moving square with position, facing and the goals reached in `info` at every step.

    Touching the goal gives a reward of 1, and the next step moves the goal, so that the image that
    comes with the reward shows its cause; touching the hazard ends the episode.
    The ground belongs to the world seed, places to the spawn seed. `info` also has `goal`, the tile
    on whose middle the goal lies, for the scripted policy. `n_resets` counts the resets so far.
    """

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"
    action_space = gymnasium.spaces.Discrete(len(ACTIONS))

    def __init__(self, options, world_seed, spawn_seed):
        super().__init__(world_seed, spawn_seed)
        self._options = options
        shape = (options["size"], options["size"], 3)
        self.observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, shape, np.uint8)
        )
        self._tiles = tiles(options)
        self._floor = np.ones((self._tiles, self._tiles), np.uint8)

    @property
    def world(self):
        """What the ids in `info` and the actions mean, for the header of a recording."""
        return {
            "actions": list(ACTIONS),
            "achievements": ["reach_goal"],
            "materials": ["none", "floor"],
            "walkable": [1],
            "enterable": [1],
            "area": [self._tiles, self._tiles],
            "absent": list(VITALS),
        }

    def reset(self, *, seed=None, options=None):
        """Begin the next episode, or the one after options["n_resets"] resets.

        A `seed` replaces both seeds and counts the resets from zero.
        """
        number = self.begin(seed, options)
        world_seed, spawn_seed = self._seeds
        episode = 0 if self._options["fixed_seed"] else number
        self._ground = ground(np.random.default_rng([world_seed, episode]), self._options["size"])
        self._random = np.random.default_rng([spawn_seed, number])
        self._time, self._reached, self._facing = 0, 0, FACINGS.index("down")
        self._place = self._random.integers(self._tiles, size=2)
        self._goal = self._hazard = None
        self._goal, self._touched = self._elsewhere(), False
        self._hazard = self._elsewhere() if self._options["hazard"] else None
        return {"image": self.render()}, {**self._info(), "terrain": self._floor.copy()}

    def step(self, action):
        """Gymnasium's five values; the hazard terminates, the time limit truncates."""
        self._time += 1
        self._place = np.clip(self._place + MOVES[action], 0, self._tiles - 1)
        self._facing = int(action) - 1 if action else self._facing
        if self._touched:
            self._goal = self._elsewhere()
        self._touched = self._touches(self._goal)
        self._reached += self._touched
        dead = self._touches(self._hazard)
        late = self._time >= self._options["length"]
        info = self._info()
        if dead or late:
            info["terrain_changed"] = np.zeros_like(self._floor)
        return {"image": self.render()}, float(self._touched), dead, late and not dead, info

    def render(self):
        """The image [S, S, 3] uint8: the square above hazard, goal and ground."""
        image, side = self._ground.copy(), self._options["goal"]
        inset = (self._options["square"] - side) // 2
        parts = [(self._hazard, side, inset, HAZARD), (self._goal, side, inset, GOAL)]
        for place, width, shift, colour in [
            *parts,
            (self._place, self._options["square"], 0, SQUARE),
        ]:
            if place is not None:
                x, y = place * self._options["move"] + shift
                image[y : y + width, x : x + width] = np.round(255 * np.array(colour))
        return image

    def _touches(self, other):
        """Whether the square overlaps with what lies on the middle of a tile."""
        if other is None:
            return False
        reach = (self._options["square"] + self._options["goal"]) // 2
        return bool((np.abs(other - self._place) * self._options["move"] < reach).all())

    def _elsewhere(self):
        """A random tile that touches neither the square nor what lies there."""
        places = np.argwhere(self._floor)
        reach = (self._options["square"] + self._options["goal"]) // 2
        for other in (self._place, self._goal, self._hazard):
            if other is not None:
                away = np.abs(places - other).max(1) * self._options["move"] >= reach
                places = places[away] if away.any() else places
        return places[self._random.integers(len(places))]

    def _info(self):
        return {
            "position": self._place.astype(np.int32),
            "facing": self._facing,
            "achievements": np.array([self._reached], np.int32),
            "goal": self._goal.astype(np.int32),
        }


def ground(random, size):
    """A smooth random texture [S, S, 3] uint8 between DARK and LIGHT."""
    coarse = random.uniform(DARK, LIGHT, (PATCHES, PATCHES, 3)).astype(np.float32)
    layers = [Image.fromarray(coarse[:, :, channel]) for channel in range(3)]
    fine = [layer.resize((size, size), Image.Resampling.BILINEAR) for layer in layers]
    return np.round(255 * np.stack(fine, -1)).astype(np.uint8)


def scripted(random):
    """A policy of one episode, `info -> action`: towards the goal, or with some chance at random.

    That chance is drawn for the episode from EASE, so that there are good and bad episodes.
    """
    chance = random.uniform(*EASE)

    def act(info):
        away = info["goal"] - info["position"]
        if random.random() < chance or not away.any():
            return int(random.integers(len(ACTIONS)))
        axes = np.flatnonzero(away)
        axis = axes[random.integers(len(axes))]
        return 1 + 2 * int(axis) + int(away[axis] > 0)

    return act
