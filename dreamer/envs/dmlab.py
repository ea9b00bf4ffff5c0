"""DeepMind Lab (Beattie et al. 2016), written against its documented Python interface.

UNTESTED with the real package, which has no wheel: tests use a stand-in that speaks the interface.
"""

import gymnasium
import numpy as np

from dreamer.columns import VITALS
from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

FOLDER = "contributed/dmlab30"
TURN = 20  # pixels of the mouse per frame
ACTIONS = {  # turn, look, strafe, forward, fire, jump, crouch; as for IMPALA (Espeholt et al. 2018)
    "forward": (0, 0, 0, 1, 0, 0, 0),
    "backward": (0, 0, 0, -1, 0, 0, 0),
    "strafe_left": (0, 0, -1, 0, 0, 0, 0),
    "strafe_right": (0, 0, 1, 0, 0, 0, 0),
    "turn_left": (-TURN, 0, 0, 0, 0, 0, 0),
    "turn_right": (TURN, 0, 0, 0, 0, 0, 0),
    "forward_left": (-TURN, 0, 0, 1, 0, 0, 0),
    "forward_right": (TURN, 0, 0, 1, 0, 0, 0),
    "fire": (0, 0, 0, 0, 1, 0, 0),
}
PICTURE = "RGB_INTERLEAVED"


def make(options, world_seed, spawn_seed, name):
    """The level `name` of DMLab-30 for the options env.dmlab, or a refusal."""
    package = extras.load("deepmind_lab", "dmlab")
    height, width = options["size"] or (64, 64)
    config = {"width": str(width), "height": str(height)}
    try:
        game = package.Lab(f"{FOLDER}/{name}", [PICTURE], config=config)
    except (RuntimeError, ValueError) as problem:
        raise Refused(f"DeepMind Lab has no level '{name}': {problem}") from None
    return Adapter(Lab(game, options["repeat"], (height, width, 3)), spawn_seed)


class Lab(gymnasium.Env):
    """A level; its end is never terminal, because it comes by time."""

    world = {"actions": list(ACTIONS), "absent": ["facing", *VITALS, "x", "y", "terrain",
                                                   "terrain_changed"]}  # fmt: skip
    action_space = gymnasium.spaces.Discrete(len(ACTIONS))

    def __init__(self, game, repeat, shape):
        self._game, self._repeat, self._image = game, repeat, np.zeros(shape, np.uint8)
        self.observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, shape, np.uint8)
        )

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        super().reset(seed=seed)
        self._game.reset(seed=int(self.np_random.integers(2**31)))
        return self._look(), {}

    def step(self, action):
        """Gymnasium's five values; after the end the last picture is shown again."""
        moves = np.array(list(ACTIONS.values())[action], np.intc)
        reward = self._game.step(moves, num_steps=self._repeat)
        return self._look(), float(reward), False, not self._game.is_running(), {}

    def close(self):
        """Close the level."""
        self._game.close()

    def _look(self):
        if self._game.is_running():
            self._image = self._game.observations()[PICTURE].copy()
        return {"image": self._image}
