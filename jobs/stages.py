"""The stages of the workflow: which module computes each, and where its options come from."""

from typing import NamedTuple


class Stage(NamedTuple):
    """A command of the workflow. `first` is its first output; the sidecar is named after it."""

    module: str
    first: str
    block: str | None = None  # the block of the configuration that holds its options
    agent: bool = False  # runs an agent: it needs JAX, and may need a GPU
    code: tuple = (
        "agent",
        "task",
    )  # of the run's options: modules that are code of an agent's stage


SEED = "results/{run}/seed{seed}/"
STAGES = {
    "import_run": Stage("dreamer.import_run", SEED + "checkpoint.safetensors", agent=True),
    "import_trajectories": Stage("dreamer.import_trajectories", SEED + "trajectory.parquet"),
    "train": Stage("dreamer.train", SEED + "checkpoint.safetensors", agent=True),
    "dataset": Stage(
        "dreamer.dataset", SEED + "dataset.parquet", agent=True, code=("task", "data")
    ),
    "tokenizer": Stage(
        "dreamer.v4.train_tokenizer", SEED + "tokenizer.safetensors", agent=True, code=()
    ),
    "dynamics": Stage(
        "dreamer.v4.train_dynamics", SEED + "dynamics.safetensors", agent=True, code=()
    ),
    "finetune": Stage("dreamer.v4.train_agent", SEED + "finetune.safetensors", agent=True, code=()),
    "imagination": Stage(
        "dreamer.v4.train_imagination", SEED + "checkpoint.safetensors", agent=True, code=()
    ),
    "record": Stage("dreamer.record", SEED + "trajectory.parquet", "record", agent=True),
    "untrained": Stage(
        "dreamer.retrace", SEED + "trajectory_untrained.parquet", "untrained", agent=True
    ),
    "snapshots": Stage(
        "dreamer.retrace", SEED + "trajectory_snapshots.parquet", "untrained", agent=True
    ),
    "position": Stage("analysis.position", SEED + "position.json", "position"),
    "over_training": Stage("analysis.over_training", SEED + "over_training.json", "over_training"),
    "tuning": Stage("analysis.tuning", SEED + "tuning.parquet", "tuning"),
    "cell_classes": Stage("analysis.classes", SEED + "cell_classes.parquet", "cell_classes"),
    "dream": Stage("dreamer.dream", SEED + "dreams.parquet", "dreams", agent=True),
    "dreams": Stage("analysis.dreams", SEED + "dreams.json", "dream_decoding"),
    "matched": Stage("analysis.matched", SEED + "matched.json", "matched"),
    "world_model": Stage(
        "dreamer.v4.evaluate", SEED + "world_model.json", "world_model", agent=True, code=("agent",)
    ),
    "evaluation": Stage("dreamer.evaluate", SEED + "evaluation.json", "evaluation", agent=True),
    "behavior": Stage("analysis.behavior", SEED + "behavior.json", "behavior"),
    "training": Stage("analysis.training", SEED + "training.json", "training"),
    "phases": Stage("analysis.phases", SEED + "phases.json", "training"),
    "plot_position": Stage("analysis.plot_position", SEED + "figures/decoded_path.svg"),
    "plot_layers": Stage("analysis.plot_layers", SEED + "figures/layer_comparison.svg"),
    "plot_over_training": Stage(
        "analysis.plot_over_training", SEED + "figures/decoding_over_training.svg"
    ),
    "plot_tuning": Stage("analysis.plot_tuning", SEED + "figures/example_tuning_curves.svg"),
    "plot_dreams": Stage(
        "analysis.plot_dreams", SEED + "figures/dream_vs_real.svg", "dream_decoding"
    ),
    "plot_behavior": Stage("analysis.plot_behavior", SEED + "figures/behavior.json", "behavior"),
    "plot_training": Stage("analysis.plot_training", SEED + "figures/learning_curves.svg"),
    "plot_phases": Stage("analysis.plot_phases", SEED + "figures/phase_tokenizer.svg"),
    "plot_world_model": Stage("analysis.plot_world_model", SEED + "figures/foreseen_quality.svg"),
    "plot_evaluation": Stage("analysis.plot_evaluation", SEED + "figures/evaluation_returns.svg"),
    "run_info": Stage("jobs.run_info", SEED + "run_info.json"),
    "summary": Stage("analysis.summary", "results/{run}/summary.parquet"),
    "compare": Stage("analysis.compare", "results/summary.parquet", "compare"),
    "plot_compare": Stage("analysis.plot_compare", "results/figures/decoding_seeds.svg"),
    "plot_families": Stage("analysis.plot_families", "results/figures/families.svg"),
    "scoreboard": Stage("analysis.scoreboard", "results/scoreboard.parquet"),
    "plot_scoreboard": Stage("analysis.plot_scoreboard", "results/figures/learning_tasks.svg"),
    "report": Stage("analysis.report", "results/report.html", "report"),
}


# Stages that answer a question with scores.
QUESTIONS = [
    "position",
    "over_training",
    "tuning",
    "cell_classes",
    "dreams",
    "behavior",
    "training",
    "phases",
    "world_model",
    "evaluation",
    "matched",
]
# Stages that make what later ones read, for the account of a run.
MAKERS = [
    "import_run",
    "import_trajectories",
    "train",
    "dataset",
    "tokenizer",
    "dynamics",
    "finetune",
    "imagination",
    "record",
    "untrained",
    "snapshots",
    "position",
    "over_training",
    "tuning",
    "cell_classes",
    "dream",
    "dreams",
    "behavior",
    "training",
    "phases",
    "world_model",
    "evaluation",
    "matched",
]
# What the report reads of each stage beside scores and figures.
TABLES = {
    "train": ["checkpoint.safetensors", "metrics.parquet"],
    "import_run": ["checkpoint.safetensors", "metrics.parquet"],
    "dataset": ["dataset.parquet"],
    "imagination": ["checkpoint.safetensors", "imagination_metrics.parquet"],
    "record": ["trajectory.parquet"],
    "import_trajectories": ["trajectory.parquet"],
}

# The phases of an agent that learns offline, each with the block of its options.
BLOCKS = {"tokenizer": "tok", "dynamics": "dyn", "finetune": "head", "imagination": "imag"}
PHASES = tuple(BLOCKS)
# Families that learn offline, and which stages only they have.
OFFLINE = {
    "v4": {
        *("dataset", *PHASES, "phases", "plot_phases"),
        *("world_model", "plot_world_model", "evaluation", "plot_evaluation"),
    }
}
# What runs that learn while they act have where it is asked for (evaluation.of).
EVALUATED = {"evaluation", "plot_evaluation"}
# What only runs have that keep checkpoints while they train.
SERIES = {"snapshots", "over_training", "plot_over_training"}
# What only runs have that learn while they act.
ONLINE = {"train", "training", "plot_training", *SERIES}
# How a run that is imported begins, and which stages it does without.
IMPORTS = {
    "import_run": {"train", *SERIES},
    "import_trajectories": {
        *("train", "record", "dream", "dreams", "plot_dreams", "training", "plot_training"),
        *("untrained", "matched", *SERIES, *EVALUATED),
    },
}


def imported(run):
    """Which of IMPORTS a run of the configuration begins with, or None where it is trained."""
    return next((name for name in IMPORTS if run[name]), None)


def of(run):
    """Names of the stages that a run of the configuration has, but for those over all runs."""
    begin, own = imported(run), OFFLINE.get(run["agent"])
    without = set(IMPORTS) - {begin} | IMPORTS.get(begin, set())
    without |= ONLINE if own else set().union(*OFFLINE.values()) - EVALUATED
    return [name for name, item in STAGES.items() if "{run}" in item.first and name not in without]


def first(stage, run="{run}", seed="{seed}"):
    """Path of a stage's first output, or its pattern for a rule."""
    return STAGES[stage].first.format(run=run, seed=seed)


def sidecar(stage, run="{run}", seed="{seed}"):
    """Path of the file that says what made a stage's outputs, or its pattern for a rule."""
    return first(stage, run, seed) + ".prov.json"
