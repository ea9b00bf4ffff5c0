"""Writing files so that a kill at any moment leaves either the old file or the new one."""

import errno
import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import Refused

_mask = os.umask(0)  # can only be read by setting it
os.umask(_mask)
MODE = 0o666 & ~_mask
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextmanager
def writing(path):
    """Within, an error of the disk (full, read-only, failing) is refused with the name of `path`.

    What Python raises then often names no file.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK:
            raise
        reason = os.strerror(error.errno)
        raise Refused(f"{path} cannot be written: {reason}; mend that and try again") from error


@contextmanager
def atomic(path, durable=True):
    """Yield a temporary path beside `path`; on leaving, sync it to disk and rename it over `path`.

    The temporary name keeps the suffix, because several writers choose their format by it. The file
    gets the mode of an ordinary new file, which not every writer gives. What can be written again
    at any time need not be `durable`: thousands of small files wait long for the disk.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.chmod(MODE)
            if durable:
                sync(temporary)
            os.replace(temporary, path)
            if durable:
                sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def sync(path):
    """Force a file or folder onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def canonical(value):
    """JSON text that is equal exactly when the values are equal: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def write_json(path, value):
    """Write `value` as readable, sorted JSON in one atomic step; NaN is written as null."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(_finite(value), sort_keys=True, indent=1) + "\n")


def read_json(path):
    """Read a JSON file, or refuse with a sentence that names it."""
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise Refused(f"{path} does not exist; run the step that makes it first") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is not valid JSON ({error}); remove it and make it again") from None


def need(path, fix, where=""):
    """Refuse a path where there is no file; `fix` says what to do, `where` who asked for it."""
    if not Path(path).is_file():
        wrong = "is a folder, not a file" if Path(path).is_dir() else "does not exist"
        raise Refused(f"{where}{path} {wrong}; {fix}")


def sha256(path):
    """Hex digest of a file's bytes, read in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finite(value):
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _finite(value.tolist())
    if isinstance(value, float) and not (-float("inf") < value < float("inf")):
        return None
    return value
