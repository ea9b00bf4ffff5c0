"""Show a recording's observations to another network: one that was never trained, or a checkpoint.

The network sees what the recorded one saw, remembers the recorded actions in place of its own, and
draws its latents with the keys of the recording. So every row is the same moment, and only the
layers differ: the control for all that an architecture knows about space without being trained.
"""

from pathlib import Path

import jax

from dreamer import driver, observed, platform, recorder, retraced, stages, stopping
from dreamer import trajectory as contract
from dreamer.checkpoint import Agent, fresh, restore
from dreamer.playback import Playback
from jobs import cli, files
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
    """Write each --trajectory anew, without images, into its --out.

    --retrace.untrained True (the default): as fresh parameters of the same options compute it,
    their seed that of the first checkpoint plus --retrace.seed_offset. --retrace.trained True: as
    each checkpoint does. Of several networks, columns are named layer@step. Finished episodes
    wait in --work, where the same command continues; a signal leaves with code 75.
    """
    options = _options(spec, layers, overrides)
    if len(out) != len(trajectory):
        raise Refused(
            f"--out names {len(out)} files, but --trajectory {len(trajectory)}; give one for each"
        )
    platform.choose(options["platform"])
    networks = chosen(checkpoint, options)
    work, found = work or out[0].with_name(f"{out[0].stem}.work"), {}
    for path in trajectory:
        retraced.check(networks, path)
        provenance = stages.provenance(["dreamer.retrace"], networks[0], spec, trajectory=path)
        provenance["checkpoints"] = [files.sha256(item) for item in checkpoint]
        about = retraced.header(networks, path, options["layers"], provenance)
        episodes = contract.open_file(path).num_row_groups
        found[path] = recorder.Parts(work, about, episodes, jax.default_backend())
    with stopping.stopper(None) as stop:
        for path, parts in found.items():
            if not play(networks, path, parts, stop):
                print(f"{stop()}: finished episodes are kept in {work}; the same command continues")
                return stopping.CONTINUE
    for parts, place in zip(found.values(), out, strict=True):
        parts.publish(place)
    recorder.remove(work)
    return {"device": platform.describe()}


def chosen(checkpoints, options):
    """The networks [Agent] that the options name, the untrained one first."""
    known = [restore(path) for path in checkpoints]
    found = [untrained(known[0], options["seed_offset"])] if options["untrained"] else []
    found += known if options["trained"] else []
    if not found:
        raise Refused(
            "retrace.untrained and retrace.trained are both false, so there is no network"
        )
    return found


def untrained(agent, offset):
    """The agent as a training with the seed `offset` above its own would begin."""
    seed = (agent.header["seed"] + offset) % 2**32
    state = fresh(agent.family, agent.options, agent.spaces, seed)
    made = {"seed": seed, "step": 0, "updates": 0, "untrained": True}
    return Agent(agent.header | made, state.params)


def play(networks, path, parts, stop):
    """Play the episodes that are missing among `parts`; whether that came to its end."""
    about, missing = parts.header, parts.missing()
    first = networks[0]
    playback = Playback(path, observed.seen(first), first.spaces.action, missing)
    see, root = retraced.policy(networks, about), driver.root(about["seed"])
    plain = [name for name in contract.schema(about).names if name not in about["layers"]]
    carries = [agent.family.start(agent.params, playback.count) for agent in networks]
    done = parts.episodes - len(missing)
    with stages.Progress("retracing", parts.episodes, "episodes", "steps") as progress:
        while not playback.over:
            if stop():
                return False
            keys = driver.step_keys(root, playback.episode, playback.age)
            carries, found = see(carries, *playback.row(), keys)
            for episode, layers in playback.advance(found):
                parts.write(episode, playback.plain(episode, plain) | layers)
                done += 1
            progress.update(done, playback.count)
    return True


def _options(spec, layers, overrides):
    found = stages.options("retrace", spec, overrides)
    if spec and layers:
        raise Refused(f"{spec} holds every option, so leave out --layers")
    return found if spec else found | {"layers": layers or []}


if __name__ == "__main__":
    cli.run(main)
