"""The run in words: what was trained, in which world, and what was recorded."""

import json
import math

from safetensors import safe_open

from dreamer import trajectory

COPIES = ("slowval", "retnorm", "opt", "prior", "scale")
RECORDING = "trajectory.parquet"
TOLD = (
    "This agent was told its position: it saw player_pos beside the image, or was trained to "
    "predict it. Where its layers say where it is, they may only repeat what it was told."
)
MAYBE = (
    "Whether this agent was told its position is not known. Agents of such recordings often saw it "
    "(player_pos) beside the image, and then their layers may only repeat it."
)
LACKING = {"is_terminal": "whether death ended an episode"}
SHORT = 100_000  # environment steps under which a training only shows how the study works


def run(folder):
    """Sentences about one run and seed, from the headers of its files; absent files are skipped."""
    if header(folder).get("imported"):
        return [imported(folder / RECORDING)]
    teller = {
        "checkpoint.safetensors": agent,
        "metrics.parquet": training,
        "dataset.parquet": data,
        "imagination_metrics.parquet": phases,
        RECORDING: recording,
    }
    return [tell(folder / name) for name, tell in teller.items() if (folder / name).is_file()]


def header(folder):
    """The header of a run's recording; empty where there is none."""
    return trajectory.header(folder / RECORDING) if (folder / RECORDING).is_file() else {}


def told(folder):
    """The warning that the agent was told its position, or may have been; None where it was not."""
    answer = header(folder).get("told_position", False)
    return None if answer is False else TOLD if answer else MAYBE


def sampler(folder):
    """How the windows of the replay were chosen; None where nothing was trained."""
    path = folder / "metrics.parquet"
    header = trajectory.read_log(path, "metrics")[0] if path.is_file() else {}
    return header.get("options", {}).get("replay", {}).get("sampler")


def imported(path):
    """What was recorded elsewhere."""
    found, file = trajectory.header(path), trajectory.open_file(path)
    lacks = [LACKING.get(name, name) for name in found["absent"] if name != "terrain_changed"]
    return (
        f"Recorded elsewhere and imported from {found['imported']['folder']}: "
        f"{file.num_row_groups} episodes, {file.metadata.num_rows:,} steps, "
        f"{len(found['layers'])} layers. The recordings lack {', '.join(lacks) or 'nothing'}."
    )


def agent(path):
    """How large the agent is, and where it comes from if it was not trained here."""
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["dream_atlas"])
        names = [name for name in file.keys() if name.split("/")[0].split("_")[0] not in COPIES]  # noqa: SIM118
        count = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    modules = sorted({name.split("/")[0] for name in names})
    words = f"The agent has {count:,} parameters in the modules {', '.join(modules)}."
    return words + (_origin(about) if "imported" in about else "")


def training(path):
    """How it was trained, with the ratio of updates to steps in words."""
    header, table = trajectory.read_log(path, "metrics")
    options = header["options"]
    settings = options["run"]
    if header.get("imported"):
        return f"Its configuration asks for {settings['steps']:,} steps. {world(options)}"
    batch = settings["batch_size"] * settings["batch_length"]
    every = batch / settings["train_ratio"]
    return (
        f"Family {options['agent']}, trained with seed {header['seed']} for "
        f"{settings['steps']:,} environment steps and {int(table['updates'].max()):,} updates: one "
        f"update of {settings['batch_size']} × {settings['batch_length']} steps every {every:g} "
        f"environment steps, {settings['envs']} environments side by side. {world(options)}"
        + (
            " So short a training shows how the study works; it is no scientific result."
            if settings["steps"] < SHORT
            else ""
        )
    )


def data(path):
    """What an agent that learns from data has learned from."""
    file, found = trajectory.open_file(path, "dataset"), trajectory.header(path, "dataset")
    names = [_policy(item) for item in found["policies"]]
    return (
        f"It learned from {file.num_row_groups} episodes, {file.metadata.num_rows:,} steps, by "
        f"{', '.join(names)}; it never acted in the environment while it learned."
    )


def phases(path):
    """How an agent was trained that learns from data in phases; `path` is the last one's log."""
    options = trajectory.read_log(path, "metrics")[0]["options"]
    blocks = {"tok": "tokenizer", "dyn": "dynamics", "head": "heads", "imag": "imagination"}
    words = [f"{options[block]['updates']:,} of its {name}" for block, name in blocks.items()]
    return (
        f"Family {options['agent']}, trained with seed {options['seed']} in four phases: updates "
        f"{', '.join(words)}. {world(options)}"
    )


def _policy(item):
    """Who played, of a data set's header."""
    if "checkpoint" in item:
        return f"a {item['options']['agent']} agent after {item['step']:,} steps"
    words = {"random": "random actions", "scripted": "the environment's scripted policy"}
    return words.get(item["name"]) or f"the file {item['file']}"


def world(options):
    """The environment in words."""
    task = options["task"]
    settings = options["env"].get(task if task in options["env"] else task.split("_")[0], {})
    if task != "crafter":
        same = " with one layout in all episodes" if settings.get("fixed_seed") else ""
        return (
            f"The environment is {task}{same}. The agent sees its observations that match "
            f"{options['enc']['keys']}; what it tells beside them, such as position and facing, "
            "never reaches the agent."
        )
    width, height = settings["area"]
    same = "the same world" if settings["fixed_seed"] else "a new world"
    spawn = "a random reachable tile" if settings["random_spawn"] else "the centre"
    return (
        f"The world is Crafter with {width} × {height} tiles, {same} every episode, starting at "
        f"{spawn}, {'without' if settings['disable_mobs'] else 'with'} zombies and skeletons. "
        + (
            "The agent sees the image and its position; facing and vitals never reach it."
            if settings.get("player_pos")
            else "The agent sees the image alone; position, facing and vitals never reach it."
        )
    )


def recording(path):
    """What was recorded."""
    header = trajectory.header(path)
    file = trajectory.open_file(path)
    chosen = "sampled" if header["options"]["sample"] else "most probable"
    return (
        f"Recorded with {chosen} actions: {file.num_row_groups} episodes, "
        f"{file.metadata.num_rows:,} steps, {len(header['layers'])} layers."
    )


def _origin(about):
    """Where an imported agent comes from, and how its training differed from one here."""
    made, steps = about["imported"], about["step"]
    after = f" after {steps:,} environment steps" if steps else ""
    words = f" It was trained elsewhere (run {made['run']}, checkpoint {made['checkpoint']}{after})"
    other = f", with {', '.join(made['trained_with'])}" if made["trained_with"] else ""
    return f"{words}{other}, with seed {about['seed']}."
