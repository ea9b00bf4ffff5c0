"""Remove the spec files that no result was made with; run it while nothing is queued or running."""

from pathlib import Path

from jobs import cli, files, origins, plan


def main(results: Path = Path("results")):
    """Delete old specs and plans under results/specs; the next start writes what it needs."""
    named = {files.read_json(path).get("spec") for path in results.rglob("*.prov.json")} - {None}
    folder = results / plan.FOLDER.name
    specs = [files.read_json(folder / name) for name in named if (folder / name).is_file()]
    named |= {
        origins.place(folder, kind, spec[kind]).name for spec in specs for kind in origins.KINDS
    }
    old = [path for path in folder.glob("*.json") if path.name not in named]
    for path in old:
        path.unlink()
    print(f"removed {len(old)} spec files that no result names")


if __name__ == "__main__":
    cli.run(main)
