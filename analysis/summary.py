"""What did every seed of a run find? All its numbers in one table."""

from pathlib import Path

from analysis import gathered
from jobs import cli


def main(spec: Path, scores: list[Path], summary: Path, csv: Path):
    """Gather the scores of one run into a table."""
    cli.options(spec)
    gathered.write(summary, gathered.scores(scores), csv)


if __name__ == "__main__":
    cli.run(main)
