"""Options of stages that follow from more than one block of the configuration."""

from jobs.trees import tree

# Decoding for the figure over training: the quickest method, without nulls and without controls,
# which stand in the main decoding already.
QUICK = {
    **{"methods": ["ridge"], "layers": [], "controls": [], "combined": False},
    **{"n_null": 0, "n_shift": 0, "leak": False},
}

MEASURED = ("walks", "seed")  # of block behavior


def untrained(config):
    """Of showing recordings to a network of fresh parameters."""
    return {"untrained": True, "trained": False, "layers": [], **_shown(config)}


def snapshots(config):
    """Of showing recordings to the checkpoints of a training."""
    block = config["untrained"]["enabled"]
    layers = config["over_training"]["layers"]
    return {"untrained": block, "trained": True, "layers": layers, **_shown(config)}


def over_training(config):
    """Of decoding position from what these checkpoints saw."""
    return {**config["position"], **QUICK}


def matched(config):
    """Of decoding position from equally many features, on the same steps as all else."""
    return {**config["position"], **QUICK, **config["matched"]}


def evaluation(config):
    """Of playing episodes: which runs do so is none of theirs."""
    return {name: value for name, value in config["evaluation"].items() if name != "of"}


def behavior(config):
    """Of measuring where the agent went: what only figures need changes no number."""
    return {name: config["behavior"][name] for name in MEASURED}


def plot_behavior(config):
    """Of drawing where the agent went."""
    return {name: value for name, value in config["behavior"].items() if name != "walks"}


def behavior_files(config):
    """(name, suffix) of every figure and animation of behaviour that is asked for."""
    moving = ["gif", "mp4"] if config["behavior"]["mp4"] else ["gif"]
    return [
        (kind, suffix)
        for kind in config["behavior"]["kinds"]
        for suffix in (moving if kind.endswith("animation") else ["svg"])
    ]


def dreams(config):
    """Of decoding dreams: how fast they are shown changes no number."""
    return {name: value for name, value in config["dream_decoding"].items() if name != "step_ms"}


def plot_dreams(config):
    """Of drawing dreams."""
    return {"step_ms": config["dream_decoding"]["step_ms"]}


def compare(config):
    """Of comparing runs, each with those after it."""
    return {**config["compare"], **_order(config)}


def scoreboard(config):
    """Of one table over tasks and seeds."""
    return {**config["compare"], **plot_scoreboard(config)}


def plot_scoreboard(config):
    """Of drawing their learning curves: which run has which task."""
    tasks = {run["name"]: tree(run, 0)["task"] for run in config["runs"]}
    return {"tasks": tasks, **_order(config)}


def report(config):
    """Of telling of all runs, one after another."""
    return {**config["report"], **_order(config)}


def _order(config):
    return {"runs": [run["name"] for run in config["runs"]]}


def _shown(config):
    return {name: config["untrained"][name] for name in ("seed_offset", "platform")}


OPTIONS = {
    "untrained": untrained,
    "snapshots": snapshots,
    "over_training": over_training,
    "matched": matched,
    "evaluation": evaluation,
    "behavior": behavior,
    "plot_behavior": plot_behavior,
    "dreams": dreams,
    "plot_dreams": plot_dreams,
    "compare": compare,
    "scoreboard": scoreboard,
    "plot_scoreboard": plot_scoreboard,
    "report": report,
}
