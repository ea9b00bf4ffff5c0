"""Episodes as one .npz file, the layout of the published PyTorch project for DeepMind control.

Arrays `frames` [E, T, H, W, 3] uint8, `actions` [E, T, A] float or [E, T] integers, `rewards` and
`dones` [E, T] float. There, actions and rewards stand beside the frame at which the action was
chosen, so rewards move by one row. `dones` is 1 at an episode's last frame, padding follows it.
Two arrays more say what that layout does not: `terminals` [E, T] and `action_classes` (a number).
Files are read and written episode by episode. E is episodes, T steps.
"""

import zipfile
from contextlib import ExitStack, contextmanager

import numpy as np

from jobs import files
from jobs.errors import Refused

NEEDED = ("frames", "rewards", "dones")
RANKS = {"frames": (5,), "actions": (2, 3), "rewards": (2,), "dones": (2,), "terminals": (2,)}
DATE = (1980, 1, 1, 0, 0, 0)  # equal content gives equal bytes


class Reader:
    """A file that is read from its first episode to its last."""

    def __init__(self, path):
        self.path, self.shapes, self.dtypes = path, {}, {}
        with _opened(self.path) as found:
            for name, (_, shape, dtype) in found.items():
                self.shapes[name], self.dtypes[name] = shape, dtype
            self._check()
            classes = found.get("action_classes")
            self.classes = int(_take(classes[0], (), classes[2])) if classes else 0
        self.episodes = self.shapes["frames"][0]
        if "actions" in self.shapes and not self.width and not self.classes:
            self.classes = 1 + max(int(item["action"].max()) for item in self)

    @property
    def width(self):
        """Numbers A of a continuous action; 0 for classes."""
        shape = self.shapes.get("actions", ())
        return shape[2] if len(shape) == 3 else 0

    def __iter__(self):
        """Every episode as {image [T, H, W, 3], reward [T], action if known, is_terminal [T]}."""
        with _opened(self.path) as found:
            for _ in range(self.episodes):
                yield self._episode({
                    name: _take(stream, shape[1:], dtype)
                    for name, (stream, shape, dtype) in found.items() if name in RANKS
                })  # fmt: skip

    def _episode(self, rows):
        over = np.flatnonzero(rows["dones"])
        length = int(over[0]) + 1 if len(over) else len(rows["dones"])
        rows = {name: values[:length] for name, values in rows.items()}
        reward = np.concatenate([[0], rows["rewards"][:-1]]).astype(np.float32)
        found = {"image": rows["frames"], "reward": reward}
        found["is_terminal"] = rows.get("terminals", np.zeros(length)).astype(bool)
        if "actions" in rows:
            found["action"] = rows["actions"].astype(np.float32 if self.width else np.int32)
            self._check_classes(found["action"])
        return found

    def _check_classes(self, action):
        if self.classes and not self.width and action.max() >= self.classes:
            raise Refused(
                f"{self.path} has action {action.max()}, but its action_classes are {self.classes}"
            )

    def _check(self):
        missing = [name for name in NEEDED if name not in self.shapes]
        if missing:
            raise Refused(f"{self.path} lacks {', '.join(missing)}; {NEEDED} are needed")
        lead = self.shapes["frames"][:2]
        for name, ranks in RANKS.items():
            shape = self.shapes.get(name)
            if shape is not None and (len(shape) not in ranks or shape[:2] != lead):
                raise Refused(
                    f"{self.path} has {name} of shape {list(shape)}, which do not belong to frames "
                    f"of shape {list(self.shapes['frames'])}"
                )
        if len(self.shapes.get("actions", ())) == 2 and self.dtypes["actions"].kind not in "iu":
            raise Refused(
                f"{self.path} has one action per step as {self.dtypes['actions']}; give classes as "
                "integers [E, T], or numbers as [E, T, 1]"
            )
        if self.dtypes["frames"] != np.uint8 or self.shapes["frames"][4] != 3:
            raise Refused(f"{self.path} has frames that are not uint8 [E, T, H, W, 3]")


def write(path, episodes, count, length, shape, width=0, classes=0):
    """Write `count` episodes of at most `length` steps and frames of `shape`, in one atomic step.

    `episodes` is called once per array and yields {image, action, reward, is_terminal}.
    """
    rows = {
        "frames": (np.uint8, (length, *shape), lambda item: item["image"]),
        "actions": (np.float32 if width else np.int32, (length, width) if width else (length,),
                    lambda item: item["action"]),
        "rewards": (np.float32, (length,), lambda item: np.append(item["reward"][1:], 0)),
        "dones": (np.float32, (length,), lambda item: np.arange(1, len(item["reward"]) + 1)
                  == len(item["reward"])),
        "terminals": (np.float32, (length,), lambda item: item["is_terminal"]),
    }  # fmt: skip
    with files.atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, (dtype, inner, get) in rows.items():
            with _member(archive, name, (count, *inner), dtype) as stream:
                for item in episodes():
                    padded = np.zeros(inner, dtype)
                    padded[: len(item["reward"])] = get(item)
                    stream.write(padded.tobytes())
        with _member(archive, "action_classes", (), np.int64) as stream:
            stream.write(np.int64(classes).tobytes())


def _member(archive, name, shape, dtype):
    stream = archive.open(zipfile.ZipInfo(f"{name}.npy", DATE), "w", force_zip64=True)
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False}
    np.lib.format.write_array_header_1_0(stream, about | {"shape": shape})
    return stream


@contextmanager
def _opened(path):
    """{name: (stream behind its header, shape, dtype)} of the arrays in a file."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            streams = {name: stack.enter_context(archive.open(name)) for name in names}
            found = {name.removesuffix(".npy"): (stream, *_header(name, stream))
                     for name, stream in streams.items()}  # fmt: skip
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise Refused(f"{path} is cut off or no .npz file ({error})") from None
        yield found


def _header(name, stream):
    first = np.lib.format.read_magic(stream) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if fortran or dtype.hasobject:
        raise ValueError(f"{name} is in Fortran's order or holds objects")
    return shape, dtype


def _take(stream, shape, dtype):
    """The next array of a stream."""
    wanted = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    data = stream.read(wanted)
    if len(data) < wanted:
        raise Refused(f"{stream.name} ends before its last episode; the file is cut off")
    return np.frombuffer(data, dtype).reshape(shape)
