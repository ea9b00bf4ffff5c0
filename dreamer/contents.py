"""What a save must hold to count as whole: its state by hash, its replay files by length."""

from pathlib import Path

from jobs import files
from jobs.errors import Refused

NAME, STATE = "contents.json", "state.safetensors"
REPLAY = ("rows", "latents")


def write(folder):
    """List what lies in `folder`. Replay files go on growing under a second name, so only their
    present length is asked for later."""
    lengths = {
        str(path.relative_to(folder)): path.stat().st_size
        for part in REPLAY
        for path in sorted(Path(folder, part).iterdir())
    }
    files.write_json(folder / NAME, {"state": files.sha256(folder / STATE), "lengths": lengths})


def problem(folder):
    """What is missing or altered in a save, in words; None where it is whole."""
    try:
        known = files.read_json(folder / NAME)
        state, lengths = known["state"], known["lengths"]
    except (Refused, KeyError, TypeError):
        return f"{folder / NAME} is missing or damaged"
    path = folder / STATE
    if not path.is_file() or files.sha256(path) != state:
        return f"{path} is not as it was saved"
    short = [name for name in lengths if _length(folder / name) < lengths[name]]
    return f"{folder / short[0]} is missing or cut off" if short else None


def _length(path):
    return path.stat().st_size if path.is_file() else -1
