"""A recorder that needs no agent: random walks with momentum and units whose code is known.

In the shapes, T is steps, W x H the world in tiles (x first; y grows downward).
"""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from dreamer import trajectory
from jobs import closure, files, specs

ACTIONS = ("noop", "move_left", "move_right", "move_up", "move_down", "do")
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)])
MATERIALS = ("none", "water", "grass", "stone", "path", "sand", "tree", "lava")
WATER, GRASS, STONE, PATH, SAND, TREE, LAVA = range(1, 8)


class Walk(NamedTuple):
    """One episode: each array [T]; `terrain` [W, H] holds indices into MATERIALS."""

    episode: int
    x: np.ndarray
    y: np.ndarray
    facing: np.ndarray  # index into trajectory.FACINGS
    action: np.ndarray  # chosen at this row, takes effect at the next
    terrain: np.ndarray


def recording(path, episodes=12, steps=60, area=(8, 8), seed=0, layers=None, terrain=None, **extra):
    """Write a trajectory file of `episodes` walks of `steps` rows and return the walks.

    `layers` is {name: function(walk, rng) -> [T, units]}, `terrain` [W, H] (default all grass),
    `extra` goes into the header, `absent=["facing"]` for instance.
    """
    terrain = np.full(area, GRASS, np.uint8) if terrain is None else np.asarray(terrain, np.uint8)
    rng = np.random.default_rng(seed)
    walks = [walk(index, steps, terrain, rng) for index in range(episodes)]
    units = [
        {name: np.asarray(make(item, rng)) for name, make in (layers or {}).items()}
        for item in walks
    ]
    widths = {name: values.shape[1] for name, values in units[0].items()}
    found = header(terrain.shape, widths, **extra)
    pairs = zip(walks, units, strict=True)
    trajectory.write(path, found, (columns(item, made) for item, made in pairs))
    return walks


def header(area, widths, kind="trajectory", **extra):
    """A recording's header for layers {name: width}."""
    layers = {name: {"width": width, "dtype": "float32"} for name, width in widths.items()}
    return {
        "kind": kind,
        "layers": layers,
        "actions": list(ACTIONS),
        "achievements": [],
        "materials": list(MATERIALS),
        "walkable": [GRASS, SAND, PATH],
        "enterable": [GRASS, SAND, PATH, LAVA],
        "area": list(area),
        "absent": [],
        **extra,
    }


def walk(episode, steps, terrain, rng, persistence=0.7):
    """A random walk on the walkable tiles that keeps its direction with chance `persistence`."""
    free = np.isin(terrain, (GRASS, SAND, PATH))
    place, facing, action = rng.choice(np.argwhere(free)), 3, 1
    rows = []
    for _ in range(steps):
        if rng.random() > persistence:
            action = rng.integers(len(ACTIONS))
        rows.append((*place, facing, action))
        place, facing = step(place, facing, action, free)
    x, y, facings, actions = np.array(rows).T
    return Walk(episode, x, y, facings, actions, terrain)


def step(place, facing, action, free):
    """The next position and facing: a move turns the agent, and moves it where the tile is free."""
    target = place + MOVES[action]
    inside = ((target >= 0) & (target < free.shape)).all()
    return (
        target if inside and free[tuple(target)] else place,
        action - 1 if 1 <= action <= 4 else facing,
    )


def columns(item, units, image=None):
    """The columns of one walk and its activations {layer: [T, units]}."""
    steps = len(item.x)
    blank, picture = [None] * (steps - 1), image or png()
    return {
        "episode": np.full(steps, item.episode),
        "step": np.arange(steps),
        "x": item.x,
        "y": item.y,
        "facing": np.array(trajectory.FACINGS)[item.facing],
        "action": item.action,
        "reward": np.zeros(steps),
        "is_first": np.arange(steps) == 0,
        "is_last": np.arange(steps) == steps - 1,
        "is_terminal": np.zeros(steps, bool),
        **{name: np.full(steps, 9) for name in trajectory.VITALS},
        "image": [picture] * steps,
        "terrain": [item.terrain.reshape(-1), *blank],
        "terrain_changed": [np.zeros(item.terrain.size, np.uint8), *blank],
        **units,
    }


def png(value=128):
    """The PNG bytes of a grey 64 x 64 image."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def one_hot(item, _rng=None):
    """[T, W*H]: one unit per tile."""
    units = np.zeros((len(item.x), item.terrain.size))
    units[np.arange(len(item.x)), item.x * item.terrain.shape[1] + item.y] = 1
    return units


def place_fields(count=32, width=2.0, seed=0):
    """Layer maker: `count` Gaussian fields `width` tiles wide, at centres fixed by `seed`."""

    def make(item, _rng):
        share = np.random.default_rng(seed).uniform(size=(count, 2))
        centres = share * (np.array(item.terrain.shape) - 1)
        gap = np.stack([item.x, item.y], 1)[:, None] - centres
        return np.exp(-(gap**2).sum(2) / (2 * width**2))

    return make


def noise(count=16):
    """Layer maker: white noise."""
    return lambda item, rng: rng.normal(size=(len(item.x), count))


def blind(path, copy, seed=9):
    """Write a recording again with noise in every layer: a network that knows nothing."""
    found, rng = trajectory.open_file(path), np.random.default_rng(seed)
    header = trajectory.header(path)
    groups = [found.read_row_group(index) for index in range(found.num_row_groups)]
    layers = header["layers"].items()
    noise = (
        {name: rng.normal(size=(len(group), entry["width"])) for name, entry in layers}
        for group in groups
    )
    pairs = zip(groups, noise, strict=True)
    trajectory.write(copy, header, (group.to_pydict() | made for group, made in pairs))


def dreams(path, recording, horizon, starts, layers, shift=0):
    """Write dreams that come true: forced and policy alike hold the real states ahead.

    `starts` are rows of the recording, `shift` moves the imagined states against the rest of the
    file, the mistake that alignment tests must catch.
    """
    names = ["episode", "step", "x", "y", "action", *layers]
    read = trajectory.read(recording, names)
    ahead = np.asarray(starts)[:, None] + np.arange(horizon + 1)
    dreamt = np.minimum(ahead + shift * (np.arange(horizon + 1) > 0), len(read["x"]) - 1)
    action = read["action"][ahead - 1].astype(object)
    action[:, 0] = None
    about = header(
        trajectory.header(recording)["area"],
        {name: read[name].shape[1] for name in layers},
        kind="dreams",
    )
    parts = [
        {
            "start_episode": read["episode"][np.repeat(rows[0], horizon + 1)],
            "start_step": read["step"][np.repeat(rows[0], horizon + 1)],
            "h": np.arange(horizon + 1),
            "variant": [variant] * (horizon + 1),
            "action": list(actions),
            "x": read["x"][rows],
            "y": read["y"][rows],
            "image": [png(20 + 230 * step // horizon) for step in range(horizon + 1)],
            **{name: read[name][states] for name in layers},
        }
        for rows, states, actions in zip(ahead, dreamt, action, strict=True)
        for variant in ("policy", "forced")
    ]
    trajectory.write(path, about, parts)


def spec(path, rule, options):
    """Write the spec of an analysis, as the workflow would, and return its path."""
    module = f"analysis.{rule}"
    found = specs.build("toy", 0, rule, options, [module], closure.digest(module), "lock")
    files.write_json(path, found)
    return path
