"""Changes to a finished study, and which stages they make stale.

`python -m tests.mutations FINISHED` tries each on a copy of the finished sandbox FINISHED, with the
provenance report and with Snakemake's own dry run, and writes the table of docs/provenance.md.
"""

import json
import re
import shutil
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import changes, sandbox
from tests.changes import SEED, edit, option, remove, trained, write
from tests.forks import Forks

DOCUMENT = sandbox.ROOT / "docs/provenance.md"
TABLE = re.compile(r"\| change .*?(?=\n\n|\Z)", re.DOTALL)

STUDY = {"run_info", "summary", "compare", "plot_compare", "report"}
OVER = STUDY - {"run_info", "summary"}
DREAMS = {"dreams", "plot_dreams"}
POSITION = {"position", "plot_position", "plot_layers"} | DREAMS | STUDY
CLASSES = {"cell_classes", "plot_tuning"} | STUDY
TUNING = {"tuning"} | CLASSES
TRAINING = {"training", "plot_training"} | STUDY
OVER_TRAINING = {"snapshots", "over_training", "plot_over_training"} | STUDY
UNTRAINED = {"untrained"} | OVER_TRAINING | POSITION | TUNING
RECORD = {"record", "dream", "behavior", "plot_behavior"} | UNTRAINED
ALL = {"train"} | RECORD | TRAINING
AGENT = {"train", "record", "dream", "untrained", "snapshots"}
ANALYSES = ALL - AGENT
SMALL = {"behavior", "training", "plot_training"} | DREAMS | STUDY
DOCSTRING = ('"""', '"""Now: ')
MAIN = ("\ndef main", "\nCHANGED = 1\n\n\ndef main")
IMPORT = ("\nimport", "\nCHANGED = 1\nimport")


class Change(NamedTuple):
    """A change, what it makes stale, and further words for both commands."""

    do: object
    stale: set
    words: tuple = ()


CHANGES = {
    "every file is touched": Change(changes.touch, set()),
    "`run.steps` of a run": Change(trained("run.steps", 301), ALL),
    "`record.episodes`": Change(option(record={"episodes": 4}), RECORD),
    "`untrained.seed_offset`": Change(option(untrained={"seed_offset": 5}), UNTRAINED),
    "`over_training.layers`": Change(
        option(over_training={"layers": ["dyn/deter"]}), OVER_TRAINING
    ),
    "`position.n_null`": Change(option(position={"n_null": 2}), POSITION),
    "`tuning.folds`": Change(option(tuning={"folds": 3}), TUNING),
    "`cell_classes.border_share` and `dreams.horizon`": Change(
        option(cell_classes={"border_share": 0.7}, dreams={"horizon": 4}),
        {"dream"} | DREAMS | CLASSES,
    ),
    "`behavior.walks`, `training.smoothing` and `dream_decoding.jump`": Change(
        option(behavior={"walks": 3}, training={"smoothing": 0.2}, dream_decoding={"jump": 3}),
        SMALL,
    ),
    "`compare.bootstrap_draws`": Change(option(compare={"bootstrap_draws": 500}), OVER),
    "`cluster`, `run.save_every`, memory, time and the limits of partitions": Change(
        changes.asked_of_a_cluster, set()
    ),
    "`--profile slurm` instead of none": Change(
        lambda project: None, set(), ("--profile", "slurm")
    ),
    "the world model: `dreamer/v3/rssm.py`": Change(
        edit(("dreamer/v3/rssm.py", "\nimport jax", "\nCHANGED = 1\nimport jax")), ALL
    ),
    "the contract: `dreamer/trajectory.py`": Change(edit(("dreamer/trajectory.py", *IMPORT)), ALL),
    "an analysis: `analysis/dream_scores.py`": Change(
        edit(("analysis/dream_scores.py", *IMPORT)), DREAMS | STUDY
    ),
    "a figure: `analysis/plot_training.py`": Change(
        edit(("analysis/plot_training.py", *MAIN)), {"plot_training", "report"}
    ),
    "a figure over seeds: `analysis/seed_figures.py`": Change(
        edit(("analysis/seed_figures.py", *IMPORT)), {"plot_compare", "report"}
    ),
    "a caption": Change(edit(("rules/captions/losses.rst", "", "Now: ")), {"report"}),
    "comments and docstrings": Change(
        edit(
            ("dreamer/v3/rssm.py", "\nimport jax", "\n# A comment.\nimport jax"),
            ("dreamer/trajectory.py", *DOCSTRING),
            ("analysis/position.py", *DOCSTRING),
        ),
        set(),
    ),
    "the lock of the analyses": Change(
        edit(("envs/analysis.lock.txt", "numpy==", "numpy==9")), ANALYSES
    ),
    "the command in a rule": Change(
        edit(
            (
                "rules/analysis.smk",
                "python -m analysis.behavior --spec",
                "python -m analysis.behavior  --spec",
            )
        ),
        {"behavior"} | STUDY,
    ),
    "`dreams.parquet` is replaced": Change(write(SEED + "dreams.parquet"), DREAMS | STUDY),
    "`tuning.json` is deleted": Change(remove(SEED + "tuning.json"), set()),
    "`report.html` is deleted": Change(remove("results/report.html"), {"report"}),
    "a job was killed": Change(changes.interrupted, TRAINING),
    "copied without `.snakemake`, with file times": Change(remove(".snakemake"), set()),
    "copied with neither": Change(changes.moved, ALL),
    "made by other options, no record of it": Change(changes.unrecorded, TUNING),
    "made by other options, an earlier record": Change(changes.outlived, {"behavior"} | STUDY),
}


def run(forks, words=(), config=sandbox.CONFIG):
    """(report, what it calls stale, what a dry run would run), jobs as (stage, run, seed)."""
    words = ["--configfile", config, *words]
    told = forks.run("analysis.provenance", "--json", *words)
    assert told.returncode in (0, 1), told.stderr
    found = json.loads(told.stdout)
    ours = {(job["stage"], job["run"], job["seed"]) for job in found["jobs"] if job["reasons"]}
    dry = forks.run("snakemake", "--dry-run", *words)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    return found, ours, planned(dry.stdout + dry.stderr)


def planned(text):
    """(stage, run, seed) of the jobs in a dry run's words, but for targets that do no work."""
    found = set()
    for block in re.split(r"\n(?=(?:local)?rule )", text)[1:]:
        rule = re.match(r"(?:local)?rule (\w+):", block)[1]
        wildcards = dict(
            re.findall(r"(run|seed)=([\w-]+)", "".join(re.findall("wildcards: .*", block)[:1]))
        )
        found.add((re.sub(r"_seed(_\d+)?$", "", rule), wildcards.get("run"), wildcards.get("seed")))
    return {job for job in found if job[0] != "all"}


def main(finished):
    """Try every change; print what differs and write the table into the document."""
    lines = ["| change | stages expected | report | dry run |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder, closing(fresh(finished, folder)) as forks:
        for name, change in CHANGES.items():
            change.do(renewed(forks, finished))
            _, ours, theirs = run(forks, change.words)
            stages = [change.stale, *({job[0] for job in jobs} for jobs in (ours, theirs))]
            lines.append("| " + " | ".join([name, *map(shown, stages)]) + " |")
            same = ours == theirs and stages[0] == stages[1]
            print("agreed" if same else "DIFFERENT", name, flush=True)
    if DOCUMENT.exists():
        DOCUMENT.write_text(TABLE.sub(lambda _: "\n".join(lines), DOCUMENT.read_text()))


@contextmanager
def built(folder, config):
    """Starts programs in `folder`, a study whose files are made but not computed.

    A copy of it as it was then lies beside it, in `built`, for `renewed`.
    """
    with closing(Forks(folder)) as found:
        done = found.run("bench.dag_build", config)
        assert done.returncode == 0, done.stdout + done.stderr
        sandbox.clone(folder, folder.parent / "built")
        yield found


def fresh(finished, folder):
    """A copy of the finished sandbox in `folder`, in which programs start quickly."""
    return Forks(sandbox.clone(finished, Path(folder) / "project"))


def renewed(forks, finished):
    """The copy as it was at first."""
    shutil.rmtree(forks.folder)
    return sandbox.clone(finished, forks.folder)


def shown(stages):
    """How many stages, by name where they are few."""
    names = ", ".join(sorted(stages)) if len(stages) <= 3 else ""
    return f"{len(stages)}: {names}".rstrip(": ") if stages else "none"


if __name__ == "__main__":
    main(sys.argv[1])
