"""What made everything of one run and seed: the sidecars of its stages in one file."""

from pathlib import Path

from jobs import cli, files
from jobs.errors import Refused


def main(spec: Path, sidecars: list[Path], info: Path):
    """Gather sidecars into {stage: what made its outputs}, in the given order of files."""
    cli.options(spec)
    records = [(path, files.read_json(path)) for path in sidecars]
    files.write_json(info, {stage(path, record): record for path, record in records})


def stage(path, record):
    """The stage a sidecar belongs to, from its spec's name `<run>.seed<n>.<stage>.<hash>.json`."""
    parts = (record.get("spec") or "").split(".")
    if len(parts) != 5:
        raise Refused(f"{path} names no spec, so its result was not made by this workflow")
    return parts[2]


if __name__ == "__main__":
    cli.run(main)
