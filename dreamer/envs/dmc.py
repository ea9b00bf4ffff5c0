"""The DeepMind Control Suite (Tassa et al. 2018), by what the body feels, a camera, or both."""

import difflib

import gymnasium
import numpy as np

from dreamer.envs import drawing, extras
from dreamer.envs.adapter import Adapter
from dreamer.envs.deepmind import DeepMind
from jobs.errors import Refused

CAMERAS = {"quadruped": 2}  # where the first camera shows too little
SIDE = 64  # pixels
SHORT = {"cup_": "ball_in_cup_", "pointmass_": "point_mass_"}


def make(options, world_seed, spawn_seed, name):
    """The task `name` (`walker_walk`) for the options env.dmc, or a refusal."""
    if not options["proprio"] and not options["image"]:
        raise Refused("options env.dmc.proprio and env.dmc.image are both false; set one to true")
    drawing.choose("dmc", options["image"])
    suite = extras.load("dm_control.suite", "dmc")
    for short, full in SHORT.items():
        name = full + name.removeprefix(short) if name.startswith(short) else name
    tasks = {f"{domain}_{task}": (domain, task) for domain, task in suite.ALL_TASKS}
    if name not in tasks:
        near = difflib.get_close_matches(name, tasks, 1) or ["walker_walk"]
        raise Refused(f"there is no DeepMind Control task '{name}'; did you mean '{near[0]}'?")
    domain, task = tasks[name]
    camera = CAMERAS.get(domain, 0) if options["camera"] == "auto" else options["camera"]
    see, shown = _camera(camera) if options["image"] else (None, {})
    made = suite.load(domain, task)
    drawing.check_camera(made.physics, camera, "option env.dmc.camera")
    env = DeepMind(_beginner(made), see, shown)
    keys = ".*" if options["proprio"] else "^image$"
    return Adapter(env, spawn_seed, keys, options["size"], options["repeat"])


def _beginner(env):
    """The same environment for every episode, its task with a new random state."""

    def begin(seed):
        env.task._random = np.random.RandomState(seed)
        return env

    return begin


def _camera(name):
    """(what is seen with a camera's picture, the picture's space)."""

    def see(observation, env):
        return {**observation, "image": env.physics.render(SIDE, SIDE, camera_id=name)}

    return see, {"image": gymnasium.spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)}
