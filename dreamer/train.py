"""Train an agent from options, by hand or for the workflow; stop and continue at will."""

from pathlib import Path

from dreamer import boards, flags, job, options, session, stopping
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
    leaves with exit code 75. --run.save_every, --run.video_every and --logger go with both.
    """
    outputs = {"checkpoint": checkpoint, "metrics": metrics, "episodes": episodes, "state": state}
    stopping.check(minutes)
    by_hand = {"configs": configs, "run-dir": run_dir, "seed": seed, "platform": platform}
    given = overrides or {}
    if spec:
        cadence = {name: value for name, value in given.items() if name in options.CADENCE}
        rest = {name: value for name, value in given.items() if name not in cadence}
        flags.leave_out(f"{spec} holds every option", by_hand | rest)
        asked = job.from_spec(spec, outputs, snapshots, cadence)
    else:
        if run_dir is None:
            raise Refused("say where to: --run-dir DIR, or --spec FILE with the output paths")
        flags.leave_out("--run-dir says where everything goes", outputs | {"snapshots": snapshots})
        short = {"seed": seed, "run.platform": platform}
        named = {name: value for name, value in short.items() if value is not None}
        asked = job.by_hand(run_dir, configs or (), named | given)
    return _train(asked, minutes)


def _train(asked, minutes):
    boards.check(asked.options["logger"])
    device = platforms.describe()
    with states.locked(asked.state, print):
        kept = Finished(asked)
        if asked.finished() or kept.restore():
            states.Store(asked.state, asked.identity()).remove()  # a kill may have left it
            print(kept.said())
        else:
            with stopping.stopper(minutes) as stop:
                if not session.run(asked, device, stop):
                    return stopping.CONTINUE
        return {"device": device, "starts": kept.starts()}


if __name__ == "__main__":
    cli.run(main)
