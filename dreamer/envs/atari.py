"""Atari games by the Arcade Learning Environment (Bellemare et al. 2013; Machado et al. 2018).

As published for this agent: an action is kept for `repeat` frames, of which the last two are joined
by their maximum; an episode may begin with a random number of idle frames; with sticky actions the
emulator keeps the action before with chance 1/4.
"""

import difflib

import gymnasium
import numpy as np

from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

STICKY = 0.25
POOLED = 2  # frames


def make(options, world_seed, spawn_seed, name):
    """The game `name` (`pong`, `video_pinball`) for the options env.atari or env.atari100k."""
    return Adapter(Atari(options, name), spawn_seed, size=options["size"])


class Atari(gymnasium.Env):
    """The emulator's picture [210, 160, 1 or 3]; every reset starts the console anew."""

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(self, options, name):
        ale_py = extras.load("ale_py", "atari")
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        self._options, self._rom, self._ale = options, _rom(name), ale_py.ALEInterface()
        self._ale.setFloat("repeat_action_probability", STICKY if options["sticky"] else 0.0)
        self._ale.loadROM(self._rom)
        every = options["actions"] == "all"
        self._actions = self._ale.getLegalActionSet() if every else self._ale.getMinimalActionSet()
        self._shape = (*self._ale.getScreenDims(), 1 if options["gray"] else 3)
        self.action_space = gymnasium.spaces.Discrete(len(self._actions))
        self.observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, self._shape, np.uint8)
        )
        self.world = {"actions": [action.name.lower() for action in self._actions]}

    def reset(self, *, seed=None, options=None):
        """A fresh console whose randomness is that of the seed."""
        super().reset(seed=seed)
        self._ale.setInt("random_seed", int(self.np_random.integers(2**31)))
        self._ale.loadROM(self._rom)
        for _ in range(int(self.np_random.integers(self._options["noops"] + 1))):
            self._ale.act(self._actions[0])
            if self._ale.game_over():
                self._ale.reset_game()
        self._frames, self._lives = 0, self._ale.lives()
        return {"image": self._screen()}, {}

    def step(self, action):
        """Gymnasium's five values; the reward is the sum over the frames."""
        total, repeat, screens = 0.0, self._options["repeat"], []
        for frame in range(repeat):
            total += self._ale.act(self._actions[action])
            self._frames += 1
            over, late = self._over(), self._frames >= self._options["length"] > 0
            if frame >= repeat - POOLED or over or late:
                screens.append(self._screen())
            if over or late:
                break
        return {"image": np.maximum.reduce(screens)}, total, over, late and not over, {}

    def render(self):
        """The picture [210, 160, 3] in colour."""
        return self._ale.getScreenRGB()

    def _over(self):
        before, self._lives = self._lives, self._ale.lives()  # games also give lives
        lost = self._options["lives"] == "reset" and self._lives < before
        return bool(self._ale.game_over() or lost)

    def _screen(self):
        gray = self._options["gray"]
        screen = self._ale.getScreenGrayscale() if gray else self._ale.getScreenRGB()
        return screen.reshape(self._shape)


def _rom(name):
    roms = extras.load("ale_py.roms", "atari")
    known = roms.get_all_rom_ids()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1) or ["pong"]
        raise Refused(f"there is no Atari game '{name}'; did you mean '{near[0]}'?")
    return roms.get_rom_path(name)
