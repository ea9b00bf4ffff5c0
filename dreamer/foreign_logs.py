"""The training log of a foreign run (metrics.jsonl or scores.jsonl) as tables of this project."""

import json

import numpy as np

from dreamer import plain, trajectory
from jobs.errors import Refused

NUMBERS = (int, float)
TRAIN = "train/"
KEPT = ("loss/", "ent/", "rand/", "dyn_ent", "rep_ent", "ret", "val", "adv")
NAMES = {"loss/image": "loss/rec"}
SCORE, LENGTH, UPDATES = "episode/score", "episode/length", "train/opt/updates"


def read(path):
    """[{name: number}] of a log's lines; none where there is no log (`path` is None)."""
    if path is None:
        return []
    with open(path, errors="replace") as file:
        return [_line(path, number, line) for number, line in enumerate(file, 1) if line.strip()]


def write(path, kind, lines, header):
    """Write the table `kind` (metrics or episodes) of a log; without lines it has no rows."""
    columns = {"metrics": _metrics, "episodes": _episodes}[kind](lines)
    about = {"agent": header["agent"], "options": header["options"], "seed": header["seed"]}
    about |= {"task": header["options"]["task"], "achievements": [], "imported": True}
    trajectory.write_log(path, kind, about, columns)


def _metrics(lines):
    rows = [line for line in lines if any(name.startswith(TRAIN) for name in line)]
    names = sorted({name.removeprefix(TRAIN) for row in rows for name in row})
    names = [name for name in names if name.startswith(KEPT)]
    columns = {NAMES.get(name, name): _column(rows, TRAIN + name) for name in names}
    return {"step": _column(rows, "step", np.int64), "updates": _column(rows, UPDATES), **columns}


def _episodes(lines):
    rows = [line for line in lines if SCORE in line]
    order = np.arange(len(rows))
    return {
        "step": _column(rows, "step", np.int64),
        "env": 0 * order,
        "episode": order,
        "score": _column(rows, SCORE),
        "length": _column(rows, LENGTH),
    }


def _column(rows, name, kind=float):
    return np.array([row.get(name, np.nan) for row in rows], kind)


def _line(path, number, text):
    try:
        found = json.loads(text)
        step = plain.whole(int(found["step"]))
        numbers = {name: float(value) for name, value in found.items() if type(value) in NUMBERS}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        step = None
    if step is None:
        raise Refused(
            f"{path}, line {number}, is no line of a training log; remove it, or the whole file"
        )
    return {**numbers, "step": step}
