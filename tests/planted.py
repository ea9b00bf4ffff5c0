"""Units whose kind is known, on an arena and on Crafter's ground: what the classes must recover.

In the shapes, T is steps, W x H the world in tiles, U units.
"""

import importlib

import numpy as np
from scipy import ndimage

from analysis import walls
from dreamer import options, trajectory
from tests import synthetic
from tests.planted_signals import SIGNALS, STEPS, Walked, scaled, slow, white

EPISODES, STRENGTH = 60, 0.8
OTHER, BOTH, HEAD = "spatially tuned, other", "spatial + HD", "head direction"
KINDS = {
    "place, width 1.5": "place", "place, width 2.5": "place", "place, width 4": "place",
    "place, inverted": "place", "border, hard": "border", "border, soft": "border",
    "HD, one direction": HEAD, "HD, soft": HEAD, "place x HD": BOTH, "place + HD": BOTH,
    "border x HD": BOTH, "ramp": OTHER, "multi-field": OTHER, "white": "untuned",
    "AR(10)": "untuned", "AR(40)": "untuned", "bursts": "untuned", "clock": "untuned",
    "dead": "dead",
}  # fmt: skip
NOISE = ("white", "AR(10)", "AR(40)", "bursts", "clock")


def arena(_seed=0):
    """Grass alone [W, H]: the only walls are the edges."""
    return np.full((24, 24), synthetic.GRASS, np.uint8)


def crafter(seed=0):
    """Terrain [W, H] of Crafter's world of 32 x 32 tiles; only ground in one piece stays free."""
    tree = options.resolve(["crafter_small"], {})["env"]["crafter"]
    make = importlib.import_module("dreamer.envs.crafter").make
    env = make(tree, seed, seed)
    grid, names = env.reset()[1]["terrain"], env.world["materials"]
    known = [synthetic.MATERIALS.index(name) if name in synthetic.MATERIALS else synthetic.STONE
             for name in names]  # fmt: skip
    found = np.array(known, np.uint8)[grid]
    pieces, _ = ndimage.label(np.isin(found, (synthetic.GRASS, synthetic.SAND, synthetic.PATH)))
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    return np.where((pieces > 0) & (pieces != largest), synthetic.STONE, found)


WORLDS = {"arena": arena, "Crafter": crafter}


def record(path, terrain, seed, per_kind, strength=STRENGTH, kinds=KINDS, far=0):
    """Write a recording with `per_kind` units of each kind as `dyn/deter`; the kind of each [U].

    The recorded world is the walked one with `far` tiles of grass around it.
    """
    rng = np.random.default_rng(seed)
    walks = [synthetic.walk(index, STEPS, terrain, rng) for index in range(EPISODES)]
    walked, names = together(walks), [kind for kind in kinds for _ in range(per_kind)]
    units = np.stack([unit(kind, walked, rng, strength) for kind in names], axis=1)
    parts = np.split(units, len(walks))
    pairs = zip(walks, parts, strict=True)
    rows = (synthetic.columns(amid(item, far), {"dyn/deter": part}) for item, part in pairs)
    header = synthetic.header(amid(walks[0], far).terrain.shape, {"dyn/deter": len(names)})
    trajectory.write(path, header, rows)
    return names


def amid(item, far):
    """A walk with `far` tiles of grass around its world."""
    wide = np.pad(item.terrain, far, constant_values=synthetic.GRASS)
    return item._replace(x=item.x + far, y=item.y + far, terrain=wide)


def together(walks):
    """`Walked` of some walks over one world."""
    enterable = np.isin(walks[0].terrain, synthetic.header((1, 1), {})["enterable"])
    x, y, facing = (np.concatenate([getattr(item, name) for item in walks])
                    for name in ("x", "y", "facing"))  # fmt: skip
    lengths = [len(item.x) for item in walks]
    time = np.concatenate([np.arange(length) for length in lengths])
    around = walls.distances(enterable)[:, x, y].T
    episode = np.repeat(np.arange(len(walks)), lengths)
    return Walked(np.stack([x, y], 1), facing, around, episode, time)


def unit(kind, walked, rng, strength):
    """Activity [T] of one unit: its signal, noise half white and half AR(10), an offset."""
    if kind == "dead":
        return np.full(len(walked.time), rng.normal())
    offset, scale = 2 * rng.normal(), rng.uniform(0.2, 3)
    clean = scaled(SIGNALS[kind.split(",")[0]](kind, walked, rng))
    if kind in NOISE and kind != "clock":
        return scale * (clean + offset)
    noise = scaled(scaled(white(walked, rng)) + scaled(slow(walked, rng, 10)))
    return scale * (np.sqrt(strength) * clean + np.sqrt(1 - strength) * noise + offset)
