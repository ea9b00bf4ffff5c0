"""The run in words: what was trained, in which world, and what was recorded."""

import math

from safetensors import safe_open

from dreamer import trajectory

COPIES = ("slowval", "retnorm", "opt")
SHORT = 100_000  # environment steps under which a training only shows how the study works


def run(folder):
    """Sentences about one run and seed, from the headers of its files; absent files are skipped."""
    teller = {
        "checkpoint.safetensors": agent,
        "metrics.parquet": training,
        "trajectory.parquet": recording,
    }
    return [tell(folder / name) for name, tell in teller.items() if (folder / name).is_file()]


def agent(path):
    """How large the agent is."""
    with safe_open(path, "numpy") as file:
        names = [name for name in file.keys() if name.split("/")[0].split("_")[0] not in COPIES]  # noqa: SIM118
        count = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    modules = sorted({name.split("/")[0] for name in names})
    return f"The agent has {count:,} parameters in the modules {', '.join(modules)}."


def training(path):
    """How it was trained, with the ratio of updates to steps in words."""
    header, table = trajectory.read_log(path, "metrics")
    options = header["options"]
    settings = options["run"]
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


def world(options):
    """The environment in words."""
    task = options["task"]
    settings = options["env"].get(task)
    if task != "crafter":
        return f"The environment is {task}."
    width, height = settings["area"]
    same = "the same world" if settings["fixed_seed"] else "a new world"
    spawn = "a random reachable tile" if settings["random_spawn"] else "the centre"
    return (
        f"The world is Crafter with {width} × {height} tiles, {same} every episode, starting at "
        f"{spawn}, {'without' if settings['disable_mobs'] else 'with'} zombies and skeletons. "
        "The agent sees the image alone; position, facing and vitals never reach it."
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
