"""Which way MuJoCo can draw without a screen, found by trying."""

import functools
import os
import subprocess
import sys

from dreamer.envs import extras
from jobs.errors import Refused

BACKENDS = ("egl", "osmesa")
TRY = "from dm_control import _render as r; r.Renderer(8, 8).make_current().__enter__()"


@functools.cache
def choose(family, needed=True):
    """Set MUJOCO_GL to a way that works here, before anything draws; a given one is kept.

    Where pictures are not `needed`, drawing is switched off if nothing works.
    """
    extras.load("mujoco", family)
    if "MUJOCO_GL" in os.environ:
        return
    for name in BACKENDS:
        environment = os.environ | {"MUJOCO_GL": name, "PYOPENGL_PLATFORM": name}
        found = subprocess.run(
            [sys.executable, "-c", TRY], env=environment, capture_output=True, check=False
        )
        if found.returncode == 0:
            os.environ["MUJOCO_GL"] = os.environ["PYOPENGL_PLATFORM"] = name
            return
    if needed:
        raise Refused(
            "nothing here can draw without a screen (tried EGL and OSMesa); install one of them, "
            "on Debian: apt install libegl1 libgl1-mesa-dri, or libosmesa6"
        )
    os.environ["MUJOCO_GL"] = "disable"


def check_camera(physics, camera, option):
    """Refuse a camera's name that the world does not have."""
    model = physics.model
    names = [model.id2name(index, "camera") for index in range(model.ncam)]
    if isinstance(camera, str) and camera not in names:
        raise Refused(f"{option} is '{camera}', but the cameras here are {', '.join(names)}")
