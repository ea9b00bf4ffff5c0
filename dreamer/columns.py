"""The columns of recordings, dreams and data sets: their Arrow types, units and meanings."""

import math

import pyarrow as pa

FACINGS = ("left", "right", "up", "down")
VITALS = ("health", "food", "drink", "energy")
DTYPES = {"float16": pa.float16(), "float32": pa.float32()}

_tiles = {"unit": "tiles"}
STEP = {
    "episode": (pa.int32(), {}),
    "step": (pa.int32(), {"unit": "environment steps since reset"}),
    "x": (pa.int16(), _tiles),
    "y": (pa.int16(), {"unit": "tiles, growing downward"}),
    "facing": (pa.dictionary(pa.int8(), pa.string()), {"values": "left right up down"}),
    "action": (pa.int16(), {"meaning": "index into the header's actions, chosen after this row"}),
    "reward": (pa.float32(), {"meaning": "received with this row's observation"}),
    "is_first": (pa.bool_(), {}),
    "is_last": (pa.bool_(), {}),
    "is_terminal": (pa.bool_(), {}),
    **{name: (pa.int8(), {"unit": "0 to 9"}) for name in VITALS},
    "image": (pa.binary(), {"format": "PNG"}),
    "terrain": (pa.list_(pa.uint8()), {"meaning": "material ids [W*H], x-major, first row only"}),
    "terrain_changed": (pa.list_(pa.uint8()), {"meaning": "1 where the episode changed a tile"}),
}
DREAM = {
    "start_episode": (pa.int32(), {}),
    "start_step": (pa.int32(), {}),
    "h": (pa.int16(), {"unit": "imagined steps; 0 is the recorded belief"}),
    "variant": (pa.dictionary(pa.int8(), pa.string()), {"values": "policy forced"}),
    "action": (pa.int16(), {"meaning": "the action that led to this row; null at h = 0"}),
    "x": (pa.int16(), {"unit": "tiles, the real position at start_step + h"}),
    "y": (pa.int16(), {"unit": "tiles, the real position at start_step + h"}),
    "image": (pa.binary(), {"format": "PNG"}),
}
DATASET = {
    **{name: STEP[name] for name in ("episode", "step", "x", "y", "facing")},
    "action": (pa.int16(), {"meaning": "chosen after this row; null where it is not known"}),
    **{name: STEP[name] for name in ("reward", "is_first", "is_last", "is_terminal")},
    "policy": (pa.int16(), {"meaning": "who acted: index into the header's policies"}),
    "image": STEP["image"],
}
KINDS = {"trajectory": STEP, "dreams": DREAM, "dataset": DATASET}
POSITION = "player_pos"  # the position [x, y] as an observation, for agents that are told it


def of(header):
    """{column: (type, notes)} of a file; `action_width` A in its header makes actions [T, A].

    `observations` {key: {shape, dtype, format}} adds a column for each.
    """
    found, width = dict(KINDS[header["kind"]]), header.get("action_width")
    if width:
        words = found["action"][1]["meaning"]
        words = words.replace("index into the header's actions", "numbers").replace("null", "NaN")
        found["action"] = (pa.list_(pa.float32(), width), {"meaning": words})
    seen = header.get("observations", {})
    return found | {observation(name): _observation(about) for name, about in seen.items()}


def observation(key):
    """The column of an observation other than `image`."""
    return f"observation_{key}"


def telling(header):
    """Columns that tell one episode from another: actions and the path, or else what was seen."""
    placed = not {"x", "y"} & set(header.get("absent", ()))
    names = ["x", "y", "action"] if placed else ["action", "image"]
    names += map(observation, header.get("observations", ()))
    return [name for name in names if name not in header.get("absent", ())]


def _observation(about):
    if about["format"] == "PNG":
        return pa.binary(), {"format": "PNG"}
    kind = pa.from_numpy_dtype(about["dtype"])
    return pa.list_(kind, math.prod(about["shape"])), {"shape": str(about["shape"])}
