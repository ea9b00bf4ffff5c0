"""What a recording holds when other networks see it: names of layers, header, what does not fit.

In the shapes, N is the places of the recorder's environments.
"""

import jax

from dreamer import observed, recorder, stages
from dreamer import trajectory as contract
from jobs.errors import Refused


def label(layer, network, networks):
    """The column of a network's layer: its name, and of several networks also the training step."""
    return layer if len(networks) == 1 else f"{layer}@{network.header['step']}"


def header(networks, path, wanted, provenance):
    """The header of the recording at `path` with these networks' layers; `wanted`: none for all.

    What was seen is not written again.
    """
    recorded = contract.header(path)
    unknown = [name for name in wanted if name not in recorded["layers"]]
    if unknown:
        raise Refused(
            f"there is no layer {unknown[0]} in {path}; there are {', '.join(recorded['layers'])}"
        )
    layers = {name: recorded["layers"][name] for name in wanted or recorded["layers"]}
    recorded.pop("observations", None)
    return {
        **recorded,
        "layers": {
            label(name, network, networks): layer
            for name, layer in layers.items()
            for network in networks
        },
        "absent": sorted({*recorded["absent"], "image"}),
        "networks": [_who(network) for network in networks],
        "agent": stages.agent_header(networks[0]),
        "provenance": provenance,
    }


def policy(networks, about):
    """`see(carries, seen, taken, keys) -> carries, {column: [N, units]}` of all networks.

    `about` is a header that `header` made; `seen` and `taken` are a row of a recording.
    """
    sample, wanted = about["options"]["sample"], _columns(networks, about)
    family = networks[0].family

    @jax.jit
    def act(params, carry, seen, taken, keys):
        carry, _, found = family.act(params, carry, seen, keys, sample, taken)
        return carry, {name: recorder.kept(found[name], layer) for name, layer in wanted.items()}

    def see(carries, seen, taken, keys):
        pairs = zip(networks, carries, strict=True)
        made = [act(network.params, carry, seen, taken, keys) for network, carry in pairs]
        columns = {
            label(name, network, networks): values
            for network, (_, found) in zip(networks, made, strict=True)
            for name, values in found.items()
        }
        return [carry for carry, _ in made], jax.device_get(columns)

    return see


def check(networks, path):
    """Refuse a recording that these networks cannot be shown as the recorded one saw it."""
    about = contract.header(path)
    if "seed" not in about:
        raise Refused(f"{path} was not recorded here, so how its network drew is not known")
    steps = [network.header["step"] for network in networks]
    if len(set(steps)) < len(steps):
        raise Refused(f"two networks have the same training step: {', '.join(map(str, steps))}")
    for network in networks:
        _check_fit(network, path, about)


def _who(network):
    found = {name: network.header[name] for name in ("step", "seed")}
    return {**found, "untrained": network.header.get("untrained", False)}


def _columns(networks, about):
    """{layer: its entry in the header} of one network."""
    first = networks[0]
    names = {layer.name: label(layer.name, first, networks) for layer in stages.layers(first)}
    layers = about["layers"]
    return {name: layers[column] for name, column in names.items() if column in layers}


def _check_fit(network, path, about):
    which = f"the network of step {network.header['step']}"
    _check_held(which, observed.seen(network), path, about)
    layers = {layer.name: layer.width for layer in stages.layers(network)}
    recorded = {name: layer["of"] for name, layer in about["layers"].items()}
    names = ("action_width", "action_classes")
    action, told = network.spaces.action, {name: about[name] for name in names if name in about}
    own = observed.actions(action)
    for what, wanted, found in (
        ("layers", layers, recorded),
        ("actions", own or action.classes, told or len(about["actions"])),
        *(
            (name, space.shape, observed.shape(path, about, name))
            for name, space in observed.seen(network)
        ),
    ):
        if wanted != found:
            raise Refused(f"{which} does not fit {path}: its {what}: {wanted}; recorded: {found}")


def _check_held(which, seen, path, about):
    """Refuse a recording without an observation of those `seen` ((name, Space), ...)."""
    lacking = {
        name: space
        for name, space in seen
        if not contract.has(path, *observed.columns(about, name))
    }
    if any(map(observed.is_image, lacking.values())):
        raise Refused(
            f"{path} holds no images, so no other network can be shown what was seen; record with "
            "images (record.images)"
        )
    if lacking:
        raise Refused(
            f"{which} also observes {', '.join(lacking)}, which {path} does not hold, so it cannot "
            "be shown one; in a configuration set untrained.enabled to false"
        )
