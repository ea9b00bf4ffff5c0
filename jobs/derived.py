"""Options of stages that follow from more than one block of the configuration."""

# Decoding for the figure over training: the quickest method, without nulls and without controls,
# which stand in the main decoding already.
QUICK = {
    **{"methods": ["ridge"], "layers": [], "controls": [], "combined": False},
    **{"n_null": 0, "n_shift": 0, "leak": False},
}


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


def _shown(config):
    return {name: config["untrained"][name] for name in ("seed_offset", "platform")}


OPTIONS = {"untrained": untrained, "snapshots": snapshots, "over_training": over_training}
