"""Does the agent compute what the authors' implementation computes?

Recomputes every quantity of a parity file and prints one line each with its error and tolerance.
Errors are norms of differences over norms, per tensor: single elements differ between machines.
"""

import importlib
import json
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dreamer import conv
from jobs import cli
from jobs.errors import Refused

NEEDED = ("meta", "out/total_loss", "grad/con/head/logit/bias", "after3/con/head/logit/bias")
NEEDED += tuple(f"batch/{name}" for name in ("prev_action", "action", "reward"))
NEEDED += tuple(f"batch/is_{name}" for name in ("first", "last", "terminal"))
RTOL = {"out": 1e-4, "train": 1e-4, "grad": 1e-3, "after3": 1e-4}
SCALAR_RTOL = {"out/metric/loss/policy": 2e-6}
MEDIAN_UPDATE, SLOW_UPDATE = 1e-4, 1e-2
# A gradient tensor below this norm is rounding: exact arithmetic makes it 0 (the mean of a normal
# policy whose actions are its means), and the optimiser still scales it up to whole steps.
NOISE = 1e-4
# How far apart two machines may leave one weight, in learning rates: the sign of a gradient that
# is all rounding is random, and three updates with this warm-up move a weight by 1.8 at most.
APART = 4.0


class Line(NamedTuple):
    """One checked quantity; it passes when error <= tolerance."""

    name: str
    error: float
    tolerance: float

    @property
    def passes(self):
        return bool(self.error <= self.tolerance)

    def __str__(self):
        verdict = "ok  " if self.passes else "FAIL"
        return f"{verdict} {self.name:<44} error {self.error:.2e}   tolerance {self.tolerance:.0e}"


def main(file: Path, agent: str = "v3", form: str | None = None):
    """Compare a parity file with this code; exits with 1 when anything is out of tolerance.

    --form plain, phases or chunks forces that form of the convolutions, whatever suits the machine.
    """
    if form and form not in conv.FORMS:
        raise Refused(f"--form is {form}, but takes {', '.join(conv.FORMS)}")
    conv.FORCED = form
    arrays = read(file)
    meta = _meta(file, arrays["meta"])
    reference = importlib.import_module(f"dreamer.{agent}.reference")
    ours = reference.compute(meta, part(arrays, "batch"), part(arrays, "param"))
    lines = compare(ours, arrays, meta)
    print(*lines, sep="\n")
    failed = sum(not line.passes for line in lines)
    print(f"{file}: {len(lines)} quantities, {failed} out of tolerance")
    return 1 if failed else 0


def read(path):
    """{name: array} of a parity file; anything else is refused."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise Refused(f"{path} does not exist; give the path of a parity file (.npz)") from None
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise Refused(f"{path} is not a readable .npz file without pickles ({error})") from None
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise Refused(f"{path} is not a parity file: it has no {', '.join(missing)}")
    return arrays


def _meta(path, array):
    """Sizes from their JSON."""
    try:
        meta = json.loads(bytes(array))
        return {**meta, "lr": float(meta["lr"])}
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"the entry meta of {path} is not JSON with an lr ({error!r})") from None


def part(arrays, name):
    """{rest: array} of the entries `name`/rest."""
    start = f"{name}/"
    return {key[len(start) :]: value for key, value in arrays.items() if key.startswith(start)}


def compare(ours, theirs, meta):
    """Lines for every quantity of `theirs`, then for the three updates by themselves."""
    names = [name for name in theirs if name.split("/")[0] in RTOL]
    if not all(any(name.startswith(f"{kind}/") for name in names) for kind in RTOL):
        raise Refused(
            f"the file lacks one of the parts {', '.join(RTOL)}; nothing would be checked"
        )
    unknown = [name for name in names if name not in ours]
    if unknown:
        raise Refused(f"the file holds {', '.join(unknown)}, which this version cannot compute")
    noise = {name for name, value in part(theirs, "grad").items() if 0 < _norm(value) < NOISE}
    lines = []
    for name in names:
        kind, rest = name.split("/", 1)
        if kind != "after3" or rest not in noise:
            least = NOISE if kind == "grad" and rest in noise else 0
            error = distance(ours[name], theirs[name], least)
            lines.append(Line(name, error, SCALAR_RTOL.get(name, RTOL[kind])))
    return lines + _updates(*(part(file, "after3") for file in (ours, theirs)), theirs, meta["lr"])


def distance(ours, theirs, least=0):
    """||ours - theirs|| / ||theirs||, or over `least` where that is more.

    0 where both are exactly zero, infinity where shapes differ or numbers are not finite.
    """
    if ours.shape != theirs.shape:
        return np.inf
    size = max(_norm(theirs), least)
    difference = _norm(ours.astype(np.float64) - theirs)
    if not np.isfinite(difference) or (difference and not size):
        return np.inf
    return difference / size if size else 0.0


def _updates(mine, after, theirs, rate):
    """Three small updates hardly change a weight, so what they added is compared by itself."""
    before, trained = part(theirs, "param"), part(theirs, "grad")
    added = {
        name: distance(
            mine[name] - before[name].astype(np.float64),
            after[name] - before[name].astype(np.float64),
        )
        for name in sorted(set(before) & set(after))
    }
    lines = [
        Line(f"update/{name}", error, SLOW_UPDATE)
        for name, error in added.items()
        if name.startswith("slowval/")
    ]
    apart = max(np.abs(mine[name] - after[name]).max() / rate for name in trained)
    median = float(np.median([added[name] for name in trained]))
    return [
        *lines,
        Line("update/median over tensors", median, MEDIAN_UPDATE),
        Line("update/farthest weight, learning rates", float(apart), APART),
    ]


def _norm(value):
    return float(np.linalg.norm(value.astype(np.float64)))


if __name__ == "__main__":
    words = sys.argv[1:]
    cli.run(main, ["--file", *words] if words and not words[0].startswith("-") else words)
