"""Walking bodies that look for a goal in a maze, built from dm_control's locomotion parts.

The mazes are this project's own; the task is dm_control's RepeatSingleGoalMaze: reaching the goal
gives a reward and moves the walker back to a start.
"""

from dreamer.columns import VITALS
from dreamer.envs import drawing, extras
from dreamer.envs.adapter import Adapter
from dreamer.envs.deepmind import DeepMind
from jobs.errors import Refused

MAZES = {  # * is a wall, P a start, G a goal; in the middle, where bodies are made, is neither
    "s": "*******\n*G   P*\n* * * *\n* *   *\n* * * *\n*P   G*\n*******\n",
    "m": "*********\n*P  *  G*\n* * * * *\n* *   * *\n*P     P*\n* *   * *\n* * * * *\n"
    "*G  *  P*\n*********\n",
}
SECONDS, STEP, TILE = 60, 0.05, 3.0  # of an episode, of an action, and metres of a tile
CAMERA, SIDE = "walker/egocentric_camera", 64  # pixels


def make(options, world_seed, spawn_seed, name):
    """`ant_maze_s` or `ant_maze_m` for the options env.loconav, or a refusal."""
    known = [f"ant_maze_{size}" for size in MAZES]
    if name not in known:
        raise Refused(f"there is no maze to walk in '{name}'; there are {', '.join(known)}")
    drawing.choose("dmc")
    text = MAZES[name.rpartition("_")[2]]
    side = text.index("\n")
    world = {"area": (side, side), "absent": ["facing", *VITALS, "terrain", "terrain_changed"]}
    see = None if options["camera"] == "auto" else _other(options["camera"])

    def told(observation, env):
        x, y = env.physics.bind(env.task._walker.root_body).xpos[:2] / TILE
        return {"position": (x + side / 2, side / 2 - y)}

    env = DeepMind(lambda seed: _episode(text, seed), see, told=told, world=world)
    keys = rf"^walker/(?!egocentric)|^{CAMERA}$"
    return Adapter(env, spawn_seed, keys, options["size"], options["repeat"])


def _other(camera):
    """Another camera's picture in place of the walker's own."""

    def see(observation, env):
        drawing.check_camera(env.physics, camera, "option env.loconav.camera")
        return {**observation, CAMERA: env.physics.render(SIDE, SIDE, camera_id=camera)}

    return see


def _episode(text, seed):
    """A new maze with a walker, whose randomness is that of the seed."""
    part = "dm_control.locomotion"
    load = lambda name: extras.load(name, "dmc")  # noqa: E731
    labmaze = load("labmaze")
    walker = load(f"{part}.walkers.ant").Ant(
        observable_options={"egocentric_camera": {"enabled": True}}
    )
    maze = labmaze.FixedMazeWithRandomGoals(entity_layer=text, num_spawns=1, num_objects=1,
                                            random_state=_random(seed))  # fmt: skip
    arena = load(f"{part}.arenas.mazes").MazeWithTargets(maze, xy_scale=TILE, z_height=1.5)
    target = load(f"{part}.props.target_sphere").TargetSphere(radius=0.8)
    task = load(f"{part}.tasks.random_goal_maze").RepeatSingleGoalMaze(
        walker, arena, target, randomize_spawn_rotation=True, target_reward_scale=1.0,
        physics_timestep=0.005, control_timestep=STEP, contact_termination=False,
    )  # fmt: skip
    composer = load("dm_control.composer")
    return composer.Environment(
        task, time_limit=SECONDS, random_state=_random(seed), strip_singleton_obs_buffer_dim=True
    )


def _random(seed):
    return extras.load("numpy.random", "dmc").RandomState(seed)
