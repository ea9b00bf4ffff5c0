"""Files that hold episodes: data sets and recordings (Parquet), and .npz.

One episode is in memory at a time: {image, action, reward, is_terminal, x, y, facing: [T]} as far
as they are known. Images are PNG bytes, or arrays [H, W, 3]. T is steps.
"""

import numpy as np

from dreamer import npz, png, spaces, tasks, trajectory
from jobs.errors import Refused

FACTS = ("actions", "achievements", "materials", "walkable", "enterable", "area", "absent")
PLACES = ("x", "y", "facing")
KNOWN = ("action", "reward", "is_terminal", *PLACES, "image")


class Parquet:
    """A data set, or a recording of an agent with its images."""

    def __init__(self, path):
        self.path, self.kind = path, _kind(path)
        self.file, header = (
            trajectory.open_file(path, self.kind),
            trajectory.header(path, self.kind),
        )
        self.names = set(self.file.schema_arrow.names)
        missing = {"image", "reward", "is_first"} - self.names
        if missing:
            raise Refused(
                f"{path} has no {', '.join(sorted(missing))}, so nobody can learn from it"
            )
        self.episodes = self.file.num_row_groups
        first = self.file.read_row_group(0, ["image"])["image"][0].as_py()
        self.image = png.decode(first).shape
        if self.kind == "dataset":
            self.spaces, self.world = spaces.from_json(header["spaces"]), header["world"]
            self.place = {name: header.get(name) for name in ("task", "env", "seed")}
        else:
            self.spaces = seen(self.image, _action(path, header))
            self.world = {name: header[name] for name in FACTS if name in header}
            self.place = _place(header)
        self.width = header.get("action_width", 0)

    def __iter__(self):
        names = [name for name in KNOWN if name in self.names]
        for index in range(self.episodes):
            table = self.file.read_row_group(index, names)
            item = {name: table[name].to_pylist() for name in ("image", "reward")}
            item["reward"] = np.array(item["reward"], np.float32)
            places = [name for name in PLACES if name in names]
            item |= {name: table[name].to_numpy() for name in places}
            item["is_terminal"] = _flags(table, len(table))
            if "action" in names:
                item["action"] = actions(table["action"], self.width)
            yield item


class Npz(npz.Reader):
    """An .npz file of the published PyTorch project."""

    def __init__(self, path):
        super().__init__(path)
        self.image = self.shapes["frames"][2:]
        self.labelled = "actions" in self.shapes
        self.spaces = seen(self.image, _space(self.width, self.classes))
        self.world = {
            **{name: [] for name in ("achievements", "materials", "walkable", "enterable")},
            **{"area": [1, 1], "absent": [*PLACES]},
            "actions": [str(index) for index in range(self.classes)],
        }
        self.place = {"task": None, "env": None, "seed": None}


def _action(path, header):
    """The Space of the actions of a recording."""
    if "action_classes" in header:
        raise Refused(
            f"an action in {path} is several choices at once, but data sets hold one choice or "
            "numbers; leave it out"
        )
    return _space(header.get("action_width", 0), len(header.get("actions", ())))


def _space(width, classes):
    """The Space of actions of `width` numbers or, where that is 0, of one of `classes`."""
    bounds = [(bound,) * width for bound in (-1.0, 1.0)]
    return (spaces.Space((width,), "float32", 0, *bounds) if width
            else spaces.Space((), "int32", classes))  # fmt: skip


def seen(image, action):
    """Spaces of images [H, W, 3] and an action."""
    return spaces.Spaces((("image", spaces.Space(tuple(image), "uint8")),), action)


def actions(column, width):
    """Classes [T], -1 where not known, or numbers [T, A], NaN where not known."""
    if width:
        flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.astype(np.float32).reshape(-1, width)
    return column.fill_null(-1).to_numpy().astype(np.int32)


def _kind(path):
    try:
        trajectory.open_file(path, "dataset")
    except Refused:
        trajectory.open_file(path)
        return "trajectory"
    return "dataset"


def _place(header):
    """{task, env, seed} of the world in which the agent of a recording played, or None each."""
    tree = header.get("agent", {}).get("options", {})
    return tasks.world(tree) if "task" in tree else dict.fromkeys(("task", "env", "seed"))


def _flags(table, count):
    known = "is_terminal" in table.column_names
    return np.array(table["is_terminal"].to_pylist()) if known else np.zeros(count, bool)
