"""What is stale, why, what made it, and what a run would do? Looks only, and runs nothing.

    python -m analysis.provenance [--html FILE] [--json] [--verify] [TARGETS and what else you
    would give to snakemake, such as --configfile study.yaml or --profile slurm]

Ends with 0 if everything is fresh, with 1 if something is not, with 2 if nothing can be planned.
"""

import argparse
import json
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from analysis import provenance_page, provenance_text
from jobs import account, dag, files, partitions, process
from jobs.errors import Refused


def main(argv):
    """Print the account of the study, write the page if asked; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.provenance",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--html", type=Path, help="write the account as a page")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--verify", action="store_true", help="hash every output as well")
    asked, words = parser.parse_known_args(argv)
    jobs = dag.look(words, partitions.chooser())
    found = account.study(jobs, asked.verify)
    found |= {
        "words": words,
        "command": command(words, found),
        "looked": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if asked.html:
        if asked.html.is_dir():
            raise Refused(f"{asked.html} is a folder; give --html the name of a file")
        with files.atomic(asked.html) as temporary:
            temporary.write_text(provenance_page.page(found))
    if asked.json:
        json.dump(found, sys.stdout, indent=1)
    else:
        print(provenance_text.text(found))
    return 0 if set(found["counts"]) <= {"fresh"} else 1


def command(words, found):
    """The snakemake command that makes everything fresh, or None where it is."""
    if set(found["counts"]) <= {"fresh"}:
        return None
    wrong = [
        path
        for job in found["jobs"]
        for path, state in job["outputs"].items()
        if state in ("altered", "suspect", "gone")
    ]
    cores = [] if {"--profile", "--cores", "-c"} & set(words) else ["--cores", "all"]
    force = ["--forcerun", *wrong] if wrong else []
    return shlex.join(["snakemake", *cores, *words, *force])


if __name__ == "__main__":
    try:
        with process.told():
            sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        os._exit(141)
