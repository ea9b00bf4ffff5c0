"""Train an agent from options, by hand or for the workflow; stop and continue at will."""

from pathlib import Path

from dreamer import job, options, session, stopping
from dreamer import platform as platforms
from dreamer import state as states
from dreamer.finished import Finished
from jobs import cli
from jobs.errors import Refused


def main(
    spec: Path | None = None,
    checkpoint: Path | None = None,
    metrics: Path | None = None,
    episodes: Path | None = None,
    state: Path | None = None,
    snapshots: list[Path] | None = None,
    configs: list[str] | None = None,
    run_dir: Path | None = None,
    seed: int | None = None,
    platform: str | None = None,
    minutes: float | None = None,
    overrides: dict | None = None,
):
    """Train an agent; the same command continues what was interrupted.

    From a workflow: --spec and the output paths. By hand: --configs and dotted flags such as
    --run.steps 10000, with everything in --run-dir. A signal or --minutes saves the state and
    leaves with exit code 75. --run.save_every and --run.video_every go with both.
    """
    outputs = {"checkpoint": checkpoint, "metrics": metrics, "episodes": episodes, "state": state}
    if minutes is not None and minutes <= 0:
        raise Refused(
            f"--minutes is {minutes:g}, but must be above zero; leave it out for no limit"
        )
    by_hand = {"configs": configs, "run-dir": run_dir, "seed": seed, "platform": platform}
    given = overrides or {}
    if spec:
        cadence = {name: value for name, value in given.items() if name in options.CADENCE}
        rest = {name: value for name, value in given.items() if name not in cadence}
        _refuse(f"{spec} holds every option", by_hand | rest)
        asked = job.from_spec(spec, outputs, snapshots, cadence)
    else:
        if run_dir is None:
            raise Refused("say where to: --run-dir DIR, or --spec FILE with the output paths")
        _refuse("--run-dir says where everything goes", outputs | {"snapshots": snapshots})
        short = {"seed": seed, "run.platform": platform}
        named = {name: value for name, value in short.items() if value is not None}
        asked = job.by_hand(run_dir, configs or (), named | given)
    return _train(asked, minutes)


def _train(asked, minutes):
    device = platforms.describe()
    with states.locked(asked.state, print):
        kept = Finished(asked)
        if asked.finished() or kept.restore():
            states.Store(asked.state, asked.identity()).remove()  # a kill may have left it
            print(
                f"{asked.checkpoint} is finished; to train anew remove it and {kept.folder}, or "
                "change an option"
            )
        else:
            with stopping.stopper(minutes) as stop:
                if not session.run(asked, device, stop):
                    return stopping.CONTINUE
        return {"device": device, "starts": kept.starts()}


def _refuse(reason, flags):
    """Refuse flags that contradict others."""
    given = [name for name, value in flags.items() if value is not None]
    if given:
        raise Refused(f"{reason}, so leave out --{', --'.join(given)}")


if __name__ == "__main__":
    cli.run(main)
