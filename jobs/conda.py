"""Write envs/*.yaml, for `snakemake --sdm conda`, from the locks: the same versions by pip."""

from pathlib import Path

from jobs import cli, closure, files

FOLDER = closure.ROOT / "envs"
NAMES = ("agent", "agent-cuda", "analysis")
PYTHON = "3.11"


def text(name):
    """The conda file of an environment: Python from conda-forge, everything else by pip."""
    lines = (FOLDER / f"{name}.lock.txt").read_text().splitlines()
    head = [
        f"# Made from {name}.lock.txt by `make lock`; change that file, not this one.",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    return "\n".join([*head, *(f'      - "{line}"' for line in lines)]) + "\n"


def main(folder: Path = FOLDER):
    """Write agent.yaml, agent-cuda.yaml and analysis.yaml."""
    for name in NAMES:
        with files.atomic(folder / f"{name}.yaml") as temporary:
            temporary.write_text(text(name))


if __name__ == "__main__":
    cli.run(main)
