"""A pickled episode of a fork as columns of a recording.

Row t of such an episode is (observation, position, reward received with it, action chosen after it,
activations computed from it), as in the recordings of this project. What it lacks is named in the
header under `absent`. In the shapes, T is steps, D units.
"""

import numpy as np
from crafter import constants

from dreamer import foreign_arrays, plain, png, recorder, trajectory
from dreamer.columns import STEP
from dreamer.family import Layer
from jobs.errors import Refused

ACTIONS = list(constants.actions)
AREA = [64, 64]  # tiles of Crafter's own world
BELIEF = {"dyn/deter": "deter", "dyn/stoch": "stoch"}
ACTIVITY = "act/"
PARTS = ("enc", "dyn", "pol", "val")  # in the order of the forward pass
TURNS = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
COUNTED = ("episode", "step", "is_first", "is_last")  # known of every episode
SOURCES = {
    **{"x": "player_pos", "y": "player_pos", "facing": "player_facing"},
    **{name: name for name in ("action", "reward", "is_terminal", "image")},
    **{name: f"vital_{name}" for name in trajectory.VITALS},
}


def header(where, episode, area, cap):
    """Layers, area, achievements and what is absent, from one episode; `where` it lies."""
    layers = {}
    for name, key in sorted(_layers(episode).items(), key=lambda item: _order(item[0])):
        belief, dtype = name in BELIEF, "float32" if name == "dyn/deter" else "float16"
        width = foreign_arrays.steps(where, episode, key, dtype).shape[1]
        units = recorder.units(Layer(name, width, belief), cap)
        kept = len(units) if units else width
        layers[name] = {
            "width": kept,
            "of": width,
            "units": units,
            "dtype": dtype,
            "belief": belief,
        }
    if not layers:
        raise Refused(f"{where} holds no activity of any layer: neither deter, stoch nor act/...")
    taken = [name for name in layers if name in ("", *STEP) or name.startswith("achievement_")]
    if taken:
        raise Refused(f"{where} has a layer named '{taken[0]}', which is another column's name")
    known = {*COUNTED, *(name for name, key in SOURCES.items() if key in episode)}
    return {
        "layers": layers,
        "area": list(area),
        "actions": ACTIONS,
        "achievements": sorted(_counts(where, episode)),
        "absent": sorted(set(trajectory.STEP) - known),
    }


def columns(header, where, episode, index):
    """{column: values} of an episode, which is number `index` unless it has a number itself."""
    place, count = _position(where, episode, header["area"]), len(episode["player_pos"])
    number, step = plain.whole(episode.get("episode", index), most=2**31 - 1), np.arange(count)
    if number is None:
        found = plain.brief(episode["episode"])
        raise Refused(f"{where} has the number {found}, but episodes are counted from 0")
    found = {
        "episode": np.full(count, number),
        "step": step,
        "x": place[:, 0],
        "y": place[:, 1],
    }
    found |= {"is_first": step == 0, "is_last": step == count - 1}
    for name in [name for name in SOURCES if name not in (*found, *header["absent"])]:
        found[name] = _column(where, episode, name)
    counts = _counts(where, episode)
    found |= {
        f"achievement_{name}": counts[name] for name in header["achievements"] if name in counts
    }
    keys = _layers(episode)
    for name, layer in header["layers"].items():
        values = foreign_arrays.steps(where, episode, keys.get(name, name), layer["dtype"])
        found[name] = values if layer["units"] is None else values[:, layer["units"]]
    _check(header, where, found, count)
    return found


def _layers(episode):
    """{layer: key of its activity}."""
    plain = {name: key for name, key in BELIEF.items() if key in episode}
    named = {key.removeprefix(ACTIVITY): key for key in episode if key.startswith(ACTIVITY)}
    return {**plain, **named}


def _order(name):
    part = name.split("/")[0]
    return (PARTS.index(part) if part in PARTS else len(PARTS), name)


def _column(where, episode, name):
    """Values [T] of a column of the recording."""
    values = foreign_arrays.array(where, episode, SOURCES[name])
    if name == "image":
        if values.dtype != np.uint8 or values.ndim != 4 or values.shape[3] != 3 or not values.size:
            raise Refused(f"{where} has images of {values.dtype} {list(values.shape[1:])}")
        return [png.encode(image) for image in values]
    if name == "facing":
        turns = values.tolist() if values.ndim == 2 else [values.shape]
        return np.array([_turn(where, turn) for turn in turns])
    if values.ndim != 1:
        raise Refused(
            f"{where} has {SOURCES[name]} of shape {list(values.shape)}, not one per step"
        )
    if name == "action" and not np.isin(values, range(len(ACTIONS))).all():
        raise Refused(f"{where} has actions that are not one of Crafter's {len(ACTIONS)}")
    return foreign_arrays.fitting(where, SOURCES[name], values, STEP[name][0].to_pandas_dtype())


def _turn(where, turn):
    if not isinstance(turn, list) or tuple(turn) not in TURNS:
        found = plain.brief(turn)
        raise Refused(f"{where} has the facing {found}, which is none of the four directions")
    return TURNS[tuple(turn)]


def _position(where, episode, area):
    """Tiles [T, 2], whole numbers within the area."""
    place = foreign_arrays.array(where, episode, "player_pos")
    wrong = place.ndim != 2 or place.shape[1] != 2 or not len(place) or place.dtype.kind == "b"
    if wrong or (place != place.round()).any():
        raise Refused(f"{where} has no positions (x, y) in whole tiles under player_pos")
    if (place < 0).any() or (place >= area).any():
        low, high = (f"({x:g}, {y:g})" for x, y in (place.min(0), place.max(0)))
        raise Refused(
            f"{where} visits {low} to {high}, outside a world of {area[0]} x {area[1]} tiles, "
            "counted from 0; say its size with --area, or area in the configuration"
        )
    return place.astype(int)


def _counts(where, episode):
    """{achievement: counts so far [T]} from a list of dicts, one per step."""
    rows = episode.get("achievements", ())
    rows = [{}] if isinstance(rows, list | tuple) and not rows else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(f"{where} has achievements that are not one dict per step")
    if not all(isinstance(name, str) for name in rows[0]):
        raise Refused(f"{where} has achievements whose names are no texts")
    keys = {name: f"achievement {name}" for name in rows[0]}
    found = {key: [row.get(name, 0) for row in rows] for name, key in keys.items()}
    return {
        name: foreign_arrays.fitting(where, key, foreign_arrays.array(where, found, key), np.int16)
        for name, key in keys.items()
    }


def _check(header, where, found, count):
    """Refuse an episode whose columns differ in length, or layers that differ in width."""
    wanted = {f"achievement_{name}" for name in header["achievements"]}
    missing = sorted(wanted - set(found))
    short = [name for name, values in found.items() if len(values) != count]
    layers = header["layers"]
    wide = [name for name in layers if found[name].shape[1] != layers[name]["width"]]
    for names, words in ((missing, "lacks"), (short, f"has {count} steps, but not so many of")):
        if names:
            raise Refused(f"{where} {words} {', '.join(names)}")
    if wide:
        sizes = [f"{name} {found[name].shape[1]} not {layers[name]['width']}" for name in wide]
        raise Refused(f"{where} differs from the first episode in its layers: {', '.join(sizes)}")
