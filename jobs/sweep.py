"""Remove the spec files that no result was made with; run it while nothing is queued or running."""

from pathlib import Path

from jobs import cli, files, plan


def main(results: Path = Path("results")):
    """Delete old specs and plans under results/specs; the next start writes what it needs."""
    named = {files.read_json(path).get("spec") for path in results.rglob("*.prov.json")}
    old = [path for path in (results / plan.FOLDER.name).glob("*.json") if path.name not in named]
    for path in old:
        path.unlink()
    print(f"removed {len(old)} spec files that no result names")


if __name__ == "__main__":
    cli.run(main)
