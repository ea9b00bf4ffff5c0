"""Take results as they are that were copied without Snakemake's records and without file times.

    python -m jobs.adopt [what you would give to snakemake, such as --configfile study.yaml]

Sets file times so that what is made is newer than what it is made from. Refused unless every file
is what its sidecar says was made, and nothing but file times speaks against it.
"""

import os
import sys
import time

from jobs import account, dag, plan, process, spec_files
from jobs.errors import Refused

STEP = 0.01  # seconds between the levels of the graph


def main(words):
    """Set the times of all outputs of the study, or refuse."""
    if {"-h", "--help"} & set(words):
        print(__doc__)
        return
    jobs = dag.look(words)
    check(account.study(jobs, verify=True)["jobs"])
    now = time.time()
    for job in jobs:
        if job.planned:
            os.utime(spec_files.write(plan.FOLDER, job.planned), (now, now))
        made = now + STEP * (job.level + 1)
        for path in [*job.outputs, *filter(None, [job.benchmark])]:  # Snakemake takes the oldest
            if os.path.exists(path):
                os.utime(path, (made, made))
    print(f"{sum(len(job.outputs) for job in jobs)} files are taken as they are")


def check(told):
    """Refuse results of which more than their times is wrong, naming the first."""
    for job in told:
        wrong = [
            item["words"] for item in job["reasons"] if item["kind"] not in ("time", "upstream")
        ]
        wrong += [*job["doubts"], *job["altered"]]
        wrong += [f"{path} is gone" for path, state in job["outputs"].items() if state == "gone"]
        if wrong:
            raise Refused(
                f"{job['stage']} cannot be taken as it is: {wrong[0]}; python -m "
                "analysis.provenance --verify tells all"
            )


if __name__ == "__main__":
    with process.told():
        main(sys.argv[1:])
