"""Make a recording of the episodes that a fork of the authors' implementation has pickled."""

import hashlib
import sys
from pathlib import Path

from dreamer import foreign_episodes, own_steps, pickles, plain, recorder, stages, trajectory
from jobs import cli, closure, files, foreign, specs
from jobs.errors import Refused

NEEDED = ("layers", "area", "achievements", "absent")
MOST = 2**15  # tiles of a side, which a column of positions holds
TOLD = {"true": True, "false": False, "unknown": None}


def main(
    out: Path,
    folder: Path | None = None,
    told_position: str = "unknown",
    area: list[int] | None = None,
    cap: int = 1024,
    spec: Path | None = None,
):
    """Import episode_*.pkl or all_episodes.pkl of a folder, or a .parquet file: --out FILE.

    --told-position true, false or unknown: whether the agent saw its position beside the image.
    --area W H: the world in tiles. --cap: units kept of a layer outside dyn/*.
    """
    told = _told(told_position)
    if spec:
        options = specs.read(spec)["options"]
        folder, told = Path(options["import_trajectories"]), options["told_position"]
        area, cap = options["area"], options["cap"]
    elif folder is None:
        raise Refused("say what to import: python -m dreamer.import_trajectories DIR --out FILE")
    paths = foreign.recordings(folder)
    made = {"imported": origin(paths), "provenance": provenance(spec)}
    if paths[0].suffix == ".parquet":
        header = own(paths[0]) | made
        told = header.get("told_position") if told is None else told
        trajectory.join(out, {**header, "told_position": told}, paths)
    else:
        size = world(area or foreign_episodes.AREA, "--area, or area in the configuration,")
        if cap < 1:
            raise Refused(f"--cap, or cap in the configuration, is {cap}, but takes 1 or more")
        header = foreign_episodes.header(*next(episodes(paths)), size, cap) | made
        header |= {"kind": "trajectory", "units": recorder.UNITS, "options": {"cap": cap}}
        trajectory.write(out, {**header, "told_position": told}, columns(header, paths))
    return {"imported": made["imported"]["files"]}


def own(path):
    """The header of a Parquet file that somebody wrote by the contract (docs/own_recordings.md)."""
    header = trajectory.header(path)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise Refused(f"{path} has a header without {', '.join(missing)}")
    wanted = {field.name: field.type for field in trajectory.schema(header)}
    present = {field.name: field.type for field in trajectory.open_file(path).schema_arrow}
    differing = sorted({name for name, _ in wanted.items() ^ present.items()})
    if differing:
        raise Refused(f"{path} has other columns than its header says: {', '.join(differing)}")
    if not {"x", "y"} <= set(wanted) or not header["layers"]:
        raise Refused(f"{path} holds no positions (x, y) or no layers, so there is nothing to ask")
    for name, size in zip("xy", world(header["area"], f"the area in {path}"), strict=True):
        column = trajectory.read(path, [name])[name]
        if column.min() < 0 or column.max() >= size:
            raise Refused(
                f"{path} has {name} from {column.min()} to {column.max()}, not 0 to {size - 1}"
            )
    own_steps.check(path, header)
    return header


def world(area, where):
    """An area [W, H] in tiles, or a refusal that says `where` it comes from."""
    sides = area if isinstance(area, list) else []
    if len(sides) != 2 or None in [plain.whole(side, MOST) for side in sides] or 0 in sides:
        raise Refused(
            f"{where} is {plain.brief(area)}, but takes two numbers of tiles, 1 to {MOST}"
        )
    return area


def episodes(paths):
    """Every (where it lies, episode {name: value}) of the pickles, one file in memory at a time."""
    for path in paths:
        found = pickles.load(path)
        if isinstance(found, dict) and "player_pos" in found:
            found = [found]
        elif isinstance(found, dict):
            found = found.get("episodes")
        if not found or not isinstance(found, list) or not all(map(_named, found)):
            raise Refused(f"{path} holds no recorded episodes; they are dicts with player_pos")
        for index, episode in enumerate(found):
            yield path.name if len(found) == 1 else f"{path.name}, episode {index}", episode


def columns(header, paths):
    """{column: values} of each episode; two equal ones, or different keys, are refused."""
    seen, numbers = {}, set()
    for index, (where, episode) in enumerate(episodes(paths)):
        found = foreign_episodes.columns(header, where, episode, index)
        number, steps = int(found["episode"][0]), len(found["step"])
        parts = [found[name].tobytes() for name in ("x", "y", "action") if name in found]
        key = hashlib.sha256(b"|".join([str(steps).encode(), *parts])).digest()
        if key in seen:
            raise Refused(
                f"{seen[key]} and {where} hold the same path and actions, so one would be tested "
                "on what the other taught; remove one"
            )
        if number in numbers:
            raise Refused(f"{where} is episode {number}, which another file is too; remove one")
        seen[key] = where
        numbers.add(number)
        yield found


def origin(paths):
    """Where the recording comes from."""
    hashes = {path.name: files.sha256(path) for path in paths}
    return {"folder": paths[0].parent.resolve().name, "files": hashes}


def provenance(spec):
    """Which code and versions made the recording."""
    found = specs.read(spec) if spec else None
    code = found["code"] if spec else closure.digest("dreamer.import_trajectories")
    return {
        "spec": specs.name(found) if spec else None,
        "code": code,
        "versions": stages.versions(),
    }


def _named(episode):
    return isinstance(episode, dict) and all(isinstance(name, str) for name in episode)


def _told(word):
    if word not in TOLD:
        raise Refused(f"--told-position is {word!r}, but takes {', '.join(TOLD)}")
    return TOLD[word]


if __name__ == "__main__":
    words = sys.argv[1:]
    cli.run(main, ["--folder", *words] if words and not words[0].startswith("-") else words)
