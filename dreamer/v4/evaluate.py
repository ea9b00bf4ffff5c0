"""Evaluate DreamerV4's world model on held-out episodes, beside floors and ceiling.

Any checkpoint will do; what later phases train is left out and named as not yet computed.
"""

from pathlib import Path

import numpy as np

from dreamer import checkpoint as saved
from dreamer import platform, recorder, stages, trajectory
from dreamer.episodes import Episodes
from dreamer.v4 import drift, encoding, films, flow, foreseen, health, judged, told
from dreamer.v4.foresight import Foresight
from jobs import cli, files
from jobs.errors import Refused

HUD = 49  # row of Crafter's image where the inventory begins
FRAMES = 512  # whose reconstruction is looked at closely


def main(
    checkpoint: Path,
    test: Path,
    scores: Path,
    steps: Path,
    clips: Path,
    work: Path | None = None,
    spec: Path | None = None,
    overrides: dict | None = None,
):
    """Write --scores JSON, --steps (curves) and --clips (images) of a checkpoint on --test data.

    Options come from --spec, or by hand from flags such as --world_model.clips 32. Decoded images
    lie in the folder --work until the end.
    """
    options = stages.options("world_model", spec, overrides)
    _check(options)
    platform.choose(options["platform"])
    agent = saved.restore(checkpoint)
    if not hasattr(agent.params, "config"):
        raise Refused(f"{checkpoint} is of agent {agent.header['agent']}, but this evaluates v4's")
    work = work or scores.with_name(f"{scores.stem}.work")
    episodes = Episodes(test, work)
    _check_data(agent, episodes, checkpoint)
    found, shown = evaluate(agent, episodes, options)
    inputs = {"checkpoint": checkpoint, "test": test}
    about = {
        "options": options,
        "agent": stages.agent_header(agent),
        "phase": agent.header.get("phase"),
        "actions": list(agent.header["world"]["actions"]),
        "context": agent.params.config.imag.context,
        "provenance": stages.provenance(["dreamer.v4.evaluate"], agent, spec, **inputs),
    }
    trajectory.write_log(clips, films.KIND, about, shown)
    trajectory.write_log(steps, "world_model", about, told.table(found))
    files.write_json(scores, _report(found, about, agent, len(episodes.length)))
    Path(episodes.images.filename).unlink(missing_ok=True)
    recorder.remove(work)
    return {"device": platform.describe()}


def evaluate(agent, episodes, options, model=None):
    """Everything that is asked of a world model, and its clips; `model` stands in for it."""
    config, phase = agent.params.config, agent.header.get("phase")
    model, context = model or Foresight(agent.params), config.imag.context
    seen = foreseen.draw(episodes, options, context)
    found = {"quality": foreseen.measure(model, seen, options, context)}
    found["flow"] = flow.measure(model, flow.windows(episodes, options, context), options["seed"])
    found["flow"]["floors"] = flow.floors(found["flow"].pop("units"), found["flow"]["flow"])
    found["health"] = _health(agent, seen, episodes)
    heads = phase not in told.UNTRAINED
    if heads:
        found["heads"] = judged.measure(
            model, judged.windows(episodes, options, context), options["seed"]
        )
        found["drift"] = drift.measure(model, episodes, options, context)
    return found, films.columns(model, seen, options, context, heads)


def _health(agent, seen, episodes):
    """Health of the tokenizer, in Crafter also of map and inventory apart."""
    task = episodes.header.get("task")
    wide = slice(None)
    regions = {"map": (slice(HUD), wide), "inventory": (slice(HUD, None), wide)}
    images = np.asarray(seen["image"][: max(2, FRAMES // seen["image"].shape[1])])
    config = agent.params.config
    return health.report(agent.params.values, config, images, regions if task == "crafter" else {})


def _report(found, about, agent, episodes):
    """The JSON of scores; single clips' numbers stay out of it."""
    config, phase = agent.params.config, about["phase"]
    quality = found.pop("quality")
    usual = f"k{config.dyn.rungs}"
    return {
        "summary": told.summary(found | {"quality": quality}, config),
        "notes": list(notes(about["options"], config, len(quality[usual]["error"]), episodes,
                            quality)),
        "not_yet": [f"{name}: not yet trained at phase {phase}"
                    for name in told.UNTRAINED.get(phase, ())],
        "phase": phase,
        "sweep": told.sweep(quality),
        "ratios": foreseen.ratios(quality, usual),
        **found,
    }  # fmt: skip


def notes(options, config, clips, episodes, quality):
    """Sentences that a reader of the numbers must know."""
    yield (
        f"{clips} clips of {episodes} held-out episodes, drawn by seed {options['seed']}: "
        f"{config.imag.context} frames are seen, then {options['horizon']} are foreseen from the "
        f"actions really taken, with {config.dyn.rungs} Euler steps each. Errors are pooled over "
        "clips before they become decibels."
    )
    best = max(told.sweep(quality).items(), key=lambda item: item[1]["psnr"])[0]
    yield (
        "PSNR rewards blur: what a model is unsure of is best averaged. Judge the number of steps "
        f"K by spread and sharpness too, both as shares of the truth's; by PSNR alone K = {best} "
        "is best."
    )
    yield (
        "The Fréchet distance is taken on latents of this model's own tokenizer (pieces of 16 "
        "frames, their mean and change, in 16 principal components). It is not FVD, and distances "
        "of different tokenizers cannot be compared."
    )
    yield (
        f"Free runs begin after {config.imag.context} real frames; the policy acts. Of real pieces "
        f"there are {4 * options['free_runs']}, which may overlap."
    )
    if back := encoding.reach(config):
        yield (
            f"The encoder looks back over {back} frames. Clips are encoded by themselves, so their "
            "first latents know less of the past than those that the dynamics learned from."
        )


def _check(options):
    for name in ("clips", "horizon", "windows", "examples", "free_runs", "free_steps"):
        if options[name] < 1:
            raise Refused(f"option world_model.{name} is {options[name]}, but must be above zero")
    if min(options["clips"], options["free_runs"]) < 2:
        raise Refused("options world_model.clips and world_model.free_runs must be at least 2")


def _check_data(agent, episodes, checkpoint):
    """Refuse episodes of other images or actions."""
    if episodes.spaces.action != agent.spaces.action:
        raise Refused(
            f"{episodes.path} holds actions {episodes.spaces.action}, but {checkpoint} takes "
            f"{agent.spaces.action}"
        )
    if episodes.images.shape[1:] != agent.params.config.observed:
        raise Refused(
            f"{episodes.path} holds images {episodes.images.shape[1:]}, but {checkpoint} sees "
            f"{agent.params.config.observed}"
        )


if __name__ == "__main__":
    cli.run(main)
