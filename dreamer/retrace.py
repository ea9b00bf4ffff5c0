"""Show a recording's observations to another network: one that was never trained, or a checkpoint.

The network sees what the recorded one saw, remembers the recorded actions in place of its own, and
draws its latents with the keys of the recording. So every row is the same moment, and only the
layers differ: the control for all that an architecture knows about space without being trained.
"""

from pathlib import Path

import jax
import numpy as np

from dreamer import checkpoint as checkpoints
from dreamer import driver, platform, png, recorder, stages, stopping
from dreamer import trajectory as contract
from dreamer.columns import POSITION
from dreamer.playback import Playback
from jobs import cli
from jobs.errors import Refused


def main(
    checkpoint: list[Path],
    trajectory: list[Path],
    out: list[Path],
    layers: list[str] | None = None,
    work: Path | None = None,
    spec: Path | None = None,
    overrides: dict | None = None,
):
    """Write each recording anew as the network of each checkpoint computes it (images left out).

    --retrace.untrained True (the default) takes fresh parameters of the same options instead;
    their seed is the checkpoint's plus --retrace.seed_offset. --out names the files, for each
    checkpoint one per --trajectory. Finished episodes wait in --work; a signal leaves with code 75.
    """
    options = _options(spec, layers, overrides)
    if len(out) != len(checkpoint) * len(trajectory):
        raise Refused(
            f"--out names {len(out)} files, but {len(checkpoint)} checkpoints and "
            f"{len(trajectory)} recordings make {len(checkpoint) * len(trajectory)}"
        )
    platform.choose(options["platform"])
    work = work or out[0].with_name(f"{out[0].stem}.work")
    pairs = [(one, path) for one in checkpoint for path in trajectory]
    found = {}
    with stopping.stopper(None) as stop:
        for place, (own, path) in zip(out, pairs, strict=True):
            found[place], finished = _retrace(own, path, options, spec, work, stop)
            if not finished:
                print(f"{stop()}: finished episodes are kept in {work}; the same command continues")
                return stopping.CONTINUE
    for place, parts in found.items():
        parts.publish(place)
    recorder.remove(work)
    return {"device": platform.describe()}


def untrained(agent, offset):
    """The agent as a training with the seed `offset` above its own would begin."""
    seed = (agent.header["seed"] + offset) % 2**32
    state = checkpoints.fresh(agent.family, agent.options, agent.spaces, seed)
    return checkpoints.Agent(agent.header | {"seed": seed, "step": 0, "updates": 0}, state.params)


def header(agent, recorded, options, provenance):
    """The header of a recording `recorded`, with this network in place of the one that acted."""
    names = options["layers"] or recorded["layers"]
    unknown = [name for name in names if name not in recorded["layers"]]
    if unknown:
        raise Refused(
            f"there is no layer {unknown[0]} in the recording; there are "
            f"{', '.join(recorded['layers'])}"
        )
    network = {"untrained": options["untrained"], "seed": agent.header["seed"]}
    return {
        **recorded,
        "layers": {name: layer for name, layer in recorded["layers"].items() if name in names},
        "absent": sorted({*recorded["absent"], "image"}),
        "network": {**network, "step": agent.header["step"]},
        "agent": stages.agent_header(agent),
        "provenance": provenance,
    }


def play(agent, path, parts, stop):
    """Play the episodes that are missing among `parts`; whether that came to its end."""
    about, playback = parts.header, Playback(path, agent.spaces.observation, parts.missing())
    policy, root = _policy(agent, about), driver.root(about["seed"])
    plain = [name for name in contract.schema(about).names if name not in about["layers"]]
    carry, done = agent.family.start(agent.params, playback.count), parts.episodes
    done -= len(parts.missing())
    with stages.Progress("retracing", parts.episodes, "episodes", "steps") as progress:
        while not playback.over:
            if stop():
                return False
            seen, taken = playback.row()
            keys = driver.step_keys(root, playback.episode, playback.age)
            carry, found = policy(carry, seen, keys, taken)
            for episode, layers in playback.advance(jax.device_get(found)):
                parts.write(episode, playback.plain(episode, plain) | layers)
                done += 1
            progress.update(done, playback.count)
    return True


def _retrace(checkpoint, path, options, spec, work, stop):
    """(Parts, whether they are whole) of one recording through one network."""
    agent = checkpoints.restore(checkpoint)
    _check(agent, path, checkpoint)
    if options["untrained"]:
        agent = untrained(agent, options["seed_offset"])
    inputs = {"checkpoint": checkpoint, "trajectory": path}
    provenance = stages.provenance(["dreamer.retrace"], agent, spec, **inputs)
    about = header(agent, contract.header(path), options, provenance)
    episodes = contract.open_file(path).num_row_groups
    parts = recorder.Parts(work, about, episodes, jax.default_backend())
    return parts, play(agent, path, parts, stop)


def _policy(agent, about):
    """Carry and recorded units {layer: [N, units]} after an observation and the action taken."""
    layers, sample = about["layers"], about["options"]["sample"]

    @jax.jit
    def act(params, carry, seen, keys, taken):
        carry, _, found = agent.family.act(params, carry, seen, keys, sample, taken)
        return carry, {name: recorder.kept(found[name], layers[name]) for name in layers}

    return lambda *words: act(agent.params, *words)


def _options(spec, layers, overrides):
    found = stages.options("retrace", spec, overrides)
    if spec and layers:
        raise Refused(f"{spec} holds every option, so leave out --layers")
    return found if spec else found | {"layers": layers or []}


def _check(agent, path, checkpoint):
    """Refuse a recording that this agent could not have seen, or that does not say how it was."""
    about = contract.header(path)
    if not contract.has(path, "image"):
        raise Refused(
            f"{path} holds no images, so no other network can be shown what was seen; record with "
            "images (record.images)"
        )
    if "seed" not in about:
        raise Refused(f"{path} was not recorded here, so the network that acted is not at hand")
    unknown = [name for name, _ in agent.spaces.observation if name not in ("image", POSITION)]
    if unknown:
        raise Refused(
            f"the agent of {checkpoint} also observes {', '.join(unknown)}, which recordings do "
            "not hold"
        )
    _check_fit(agent, path, about, checkpoint)


def _check_fit(agent, path, about, checkpoint):
    layers = {layer.name: layer.width for layer in stages.layers(agent)}
    image = contract.open_file(path).read_row_group(0, columns=["image"])["image"][0].as_py()
    wanted = {
        "layers": layers,
        "actions": agent.spaces.action.classes,
        "image": dict(agent.spaces.observation)["image"].shape,
    }
    found = {
        "layers": {name: layer["of"] for name, layer in about["layers"].items()},
        "actions": len(about["actions"]),
        "image": np.shape(png.decode(image)),
    }
    for name in wanted:
        if wanted[name] != found[name]:
            raise Refused(
                f"{checkpoint} does not fit {path}: its {name} are {wanted[name]}, but those of "
                f"the recording {found[name]}"
            )


if __name__ == "__main__":
    cli.run(main)
