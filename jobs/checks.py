"""What in a checked configuration still cannot work, told before any job starts."""

from jobs import closure, stages
from jobs.errors import Refused


def recordings(record):
    """Refuse two recordings that would be the same; `record` is the configuration's block."""
    if record["seed"] == record["test_seed"]:
        raise Refused(
            "in the configuration, record.seed and record.test_seed are equal, so the test "
            "recording would repeat the other; give them different seeds"
        )


def decoding(position):
    """Refuse shuffled steps beside a split that would ignore them."""
    if position["cv"] == "timestep" and position["split"] != "episodes":
        raise Refused(
            "in the configuration, position.cv is timestep, which shuffles the steps of one "
            "recording, but position.split is not episodes; change one of them"
        )


def dreams(config):
    """Refuse decoders of dreams none of which is fitted."""
    read, fitted = config["dream_decoding"]["methods"], config["position"]["methods"]
    if not set(read) & set(fitted):
        raise Refused(
            f"in the configuration, dream_decoding.methods is {', '.join(read)}, but "
            f"position.methods fits only {', '.join(fitted)}; let them share one"
        )


def modules(tree, named):
    """Refuse an agent or a task whose module is not there; `named` is {option: module}."""
    for option, module in named.items():
        if closure.locate(module) is None:
            raise Refused(
                f"{option} is '{tree[option]}', but there is no module {module}; give the name of "
                "one in dreamer, or the dotted name of a module of your own"
            )


def images(config):
    """Refuse recordings without the images that other networks are to be shown."""
    wanting = [name for name in ("untrained", "over_training") if config[name]["enabled"]]
    if wanting and not config["record"]["images"]:
        raise Refused(
            "in the configuration, record.images is false, but other networks can only be shown "
            f"images that were kept; set {' and '.join(f'{name}.enabled' for name in wanting)} to "
            "false too, or record.images to true"
        )


def begin(run, where):
    """Refuse a run of the configuration that is to be both trained and imported."""
    if set(run["options"]) & {"seed", "agent"}:
        raise Refused(where + "options cannot hold seed or agent; use seeds and agent of the run")
    if run["import_run"] and run["import_trajectories"]:
        raise Refused(where + "import_run and import_trajectories are both set; keep one")
    imported = stages.imported(run)
    own = [name for name in ("configs", "options") if run[name]]
    own += ["agent"] if run["agent"] != "v3" else []
    own += ["data"] if run["data"]["run"] or run["data"]["files"] else []
    if imported and own:
        raise Refused(
            where + f"{imported} is set, so nothing is trained; leave out {', '.join(own)}"
        )
    if imported and len(run["seeds"]) > 1:
        raise Refused(where + f"{imported} gives one result, so seeds takes one number, a label")


def world(task, known, record, dreams, where):
    """Refuse recordings that would repeat one episode, and dreams longer than any episode.

    `known` are the options of the environment `task`.
    """
    if task == "crafter" and known["fixed_seed"] and not known["random_spawn"] | record["sample"]:
        raise Refused(
            where + "with one fixed world, one spawn and argmax actions all recorded episodes "
            "would be the same; set env.crafter.random_spawn or record.sample to true"
        )
    if 0 < known.get("length", 0) <= dreams["horizon"]:
        raise Refused(
            where + f"episodes end after {known['length']} steps, so no dream of "
            f"{dreams['horizon']} steps can be compared with what really came; set "
            f"dreams.horizon below env.{task}.length"
        )
