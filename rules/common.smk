"""What the rules share: the checked configuration, the plan, and the functions they ask.

Reads: workflow_config.yaml and further --configfile, rules/config.schema.yaml, the project's code.
Writes: results/specs/<job>.<hash>.json, the settings of each job, and plan.<hash>.json.
"""

import shlex
from functools import wraps
from inspect import signature
from pathlib import Path

from jobs import (
    closure,
    dag,
    derived,
    files,
    partitions,
    plan,
    process,
    settings,
    spec_files,
    specs,
    stages,
)
from jobs.errors import Refused

# How often a job that continues what it left is started again. A rule's own number also holds inside
# a cluster's job, which would then try again by itself, on the same node and until its time is over.
RETRIES = 30 if workflow.is_main_process else 0


def start():
    """The plan: made by the main process, read by the processes that run single jobs."""
    if Path.cwd() != closure.ROOT:
        raise Refused(
            f"snakemake was started in {Path.cwd()}; start it in {closure.ROOT}"
        )
    found = None if workflow.is_main_process else plan.handed_over()
    if found:
        return found
    *further, first = [Path(file).name for file in workflow.configfiles]
    names = " and ".join([first, *further])
    schema = closure.ROOT / "rules/config.schema.yaml"
    made = plan.make(settings.read(config, schema, names))
    plan.hand_over(made)
    return made


def whole(function):
    """The same input or param function, but Snakemake ends where it fails.

    Else Snakemake would take what exists already for files that no rule makes, and call them fresh.
    """

    @wraps(function)
    def asked(wildcards):
        try:
            return function(wildcards)
        except Exception as error:
            process.refuse(error)

    # Snakemake asks for it at every call: a tenth of its time for a large study.
    asked.__signature__ = signature(function)
    return asked


def configured():
    """What this snakemake was told of the configuration, for a command that reads it again."""
    *further, _ = map(str, workflow.configfiles)
    settings = workflow.config_settings.config_args or []
    words = ["--configfile", *further] if further else []
    return shlex.join([*words, *(["--config", *settings] if settings else [])])


def fit_partitions():
    """On a cluster, refuse a job that no partition has room for, before any is submitted."""
    with process.told():
        partitions.check(workflow)


def planned(stage, wildcards):
    """The spec of a job."""
    return PLAN.spec(stage, wildcards.get("run"), wildcards.get("seed"))


def spec(stage):
    """Input function: the spec file of a job, which only the main process writes."""

    @whole
    def path(wildcards):
        found = planned(stage, wildcards)
        if not workflow.is_main_process:
            return str(specs.path(plan.FOLDER, found))
        return spec_files.write(plan.FOLDER, found, disown)

    return path


def disown(result, text):
    """Drop Snakemake's record of a result, if it is of a job with this spec."""
    dag.disown(workflow.persistence, result, text)


def content(stage):
    """Param function: the same spec as text (Snakemake records params, and compares them)."""
    return whole(lambda wildcards: files.canonical(planned(stage, wildcards)))


def prov(stage):
    """Where a job's command writes what made its outputs."""
    return stages.sidecar(stage)


def conda_of(stage):
    """The environment of a stage that may run on a GPU."""
    return whole(
        lambda wildcards: f"../envs/{PLAN.environment(stage, wildcards.run)}.yaml"
    )


def gpu(stage, kind):
    """Resource function `gpu`, `gpu_model` or `gres`; None leaves the resource out."""

    @whole
    def resource(wildcards):
        return PLAN.resources(stage, wildcards.run)[kind]

    return resource


def cadence(name):
    """Resource function: an option of run.* of a training that changes no result."""
    return whole(
        lambda wildcards: str(plan.tree(PLAN.run(wildcards.run), 0)["run"][name])
    )


@whole
def loggers(wildcards):
    """Resource function: who shows a training while it runs, names joined by `-`."""
    return "-".join(plan.tree(PLAN.run(wildcards.run), 0)["logger"]) or "none"


def every(pattern, stage):
    """`pattern` for every run and seed of the configuration whose runs have the stage."""
    found = [
        path
        for run in PLAN.config["runs"]
        if stage in PLAN.stages(run)
        for path in expand(pattern, run=run["name"], seed=run["seeds"])
    ]
    return list(dict.fromkeys(found))  # a pattern without seed is one file of a run


def runs(stage):
    """Pattern of the names of the runs that have a stage; one that fits nothing if none has."""
    found = [run["name"] for run in PLAN.config["runs"] if stage in PLAN.stages(run)]
    return "|".join(found) or "(?!)"


@whole
def foreign(wildcards):
    """Input function: the files that an imported run begins with."""
    return [str(path) for path in PLAN.imported(wildcards.run)]


@whole
def warm(wildcards):
    """Input function: the checkpoint that a training starts from, where it does."""
    start = plan.tree(PLAN.run(wildcards.run), 0)["run"]["from_checkpoint"]
    return [start] if start else []


def played(kind):
    """Input function: what a data set is made from, its `checkpoints` or its `files`."""

    @whole
    def paths(wildcards):
        files = PLAN.run(wildcards.run)["data"]["files"]
        found = PLAN.played(wildcards.run, wildcards.seed)
        return found if bool(files) == (kind == "files") else []

    return paths


def learned(name):
    """Input function: what an agent has learned from, where it learns from data."""

    @whole
    def path(wildcards):
        offline = PLAN.run(wildcards.run)["agent"] in stages.OFFLINE
        return f"results/{wildcards.run}/seed{wildcards.seed}/{name}" if offline else []

    return path


@whole
def tested(wildcards):
    """Input function: the recording for testing; an imported one is split by its episodes."""
    test = "record" in stages.of(PLAN.run(wildcards.run))
    name = "trajectory_test" if test else "trajectory"
    return f"results/{wildcards.run}/seed{wildcards.seed}/{name}.parquet"


def untrained(name):
    """Input function: a recording shown to an untrained network, where the run has that control."""

    @whole
    def path(wildcards):
        if "untrained" not in PLAN.stages(PLAN.run(wildcards.run)):
            return []
        return f"results/{wildcards.run}/seed{wildcards.seed}/{name}_untrained.parquet"

    return path


@whole
def kept(wildcards):
    """Input function: the checkpoints of a run in the order of training."""
    folder = f"results/{wildcards.run}/seed{wildcards.seed}"
    steps = PLAN.snapshots(PLAN.run(wildcards.run))
    return [
        *(f"{folder}/snapshots/{step}.safetensors" for step in steps),
        f"{folder}/checkpoint.safetensors",
    ]


@whole
def makers(wildcards):
    """Input function: what made the files of a run, in the order of the stages."""
    found = PLAN.stages(PLAN.run(wildcards.run))
    return [
        stages.sidecar(stage, *wildcards) for stage in stages.MAKERS if stage in found
    ]


def snapshots():
    """{steps at which to keep a checkpoint: names of the runs that ask for these}."""
    found = {}
    for run in PLAN.config["runs"]:
        if "train" not in stages.of(run):
            continue
        steps = plan.tree(run, 0)["run"]["snapshots"]
        found.setdefault(tuple(steps), []).append(run["name"])
    return found


def figure(name, category, folder="results/{run}/seed{seed}", suffix="svg"):
    """A figure of one run and seed, which Snakemake's own report shows with its caption."""
    place = {"run": "{run}", "seed": "{seed}"} if "{seed}" in folder else {}
    labels = place | {"figure": name.replace("_", " ")}
    return report(
        f"{folder}/figures/{name}.{suffix}",
        caption=f"captions/{name}.rst",
        category=category,
        labels=labels,
    )


def pngs(*names, folder="results/{run}/seed{seed}"):
    """The PNG copies of figures."""
    return [f"{folder}/figures/{name}.png" for name in names]


def drawn():
    """Every figure of every run and seed, SVG, PNG and GIF, and what is said of single ones."""
    return [
        path
        for stage, made in stages.STAGES.items()
        if stage.startswith(("plot_", "evaluation")) and "{seed}" in made.first
        for item in map(str, getattr(rules, f"{stage}_seed").output)
        if item.endswith((".svg", ".png", ".gif", "behavior.json"))
        for path in every(item, stage)
    ]


def across():
    """Every figure over all runs, SVG and PNG."""
    names = ["decoding_seeds", "tuning_seeds", "learning_seeds"]
    names += ["families"] if every("{run}", "matched") else []
    return [
        f"results/figures/{name}.{kind}" for kind in ("svg", "png") for name in names
    ]


def answers():
    """The scores of every run and seed, question by question."""
    folder = "results/{run}/seed{seed}"
    return [
        path
        for question in stages.QUESTIONS
        for path in every(f"{folder}/{question}.json", question)
    ]


def found_by(wildcards):
    """Input function: the scores of every seed of a run."""
    mine = f"results/{wildcards.run}/"
    return [path for path in answers() if path.startswith(mine)]


def tables():
    """What the report reads of every run and seed beside scores and figures."""
    return [
        path
        for stage, names in stages.TABLES.items()
        for name in names
        for path in every(f"results/{{run}}/seed{{seed}}/{name}", stage)
    ]


with process.told():
    PLAN = start()
process.prepare()
