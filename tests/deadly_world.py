"""The toy world, but the process of environment 1 dies whenever it comes to its fifth step."""

import os
import signal

from tests import toy_world


class Arena(toy_world.Arena):
    def step(self, action):
        if self.time == 4 and self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(action)


def make(options, world_seed, spawn_seed):
    """An arena that is deadly unless it is the first of its vector, or all if the option says."""
    arena = Arena(spawn_seed)
    arena.deadly = spawn_seed != options["harmless"]
    return arena
