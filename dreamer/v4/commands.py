"""The four training commands: equal flags, one phase each."""

from pathlib import Path

from dreamer import flags, stopping
from dreamer import platform as platforms
from dreamer.finished import Finished
from dreamer.v4 import asked as asking
from dreamer.v4 import fit, mesh
from jobs.errors import Refused

DOC = """Train DreamerV4's phase '{}'; the same command continues what was interrupted.

From a workflow: --spec and all paths. By hand: --configs, dotted flags such as --{}.updates 100,
--dataset, and everything else in --run-dir. --start is the checkpoint of the phase before. A signal
or --minutes saves the state and leaves with exit code 75."""


def command(phase):
    """The `main` of a phase's command, for `jobs.cli.run`."""

    def main(
        dataset: Path | None = None,
        test: Path | None = None,
        start: Path | None = None,
        spec: Path | None = None,
        checkpoint: Path | None = None,
        metrics: Path | None = None,
        state: Path | None = None,
        snapshots: list[Path] | None = None,
        configs: list[str] | None = None,
        run_dir: Path | None = None,
        seed: int | None = None,
        platform: str | None = None,
        minutes: float | None = None,
        overrides: dict | None = None,
    ):
        inputs = {"dataset": dataset, "test": test, "start": start}
        outputs = {"checkpoint": checkpoint, "metrics": metrics, "state": state}
        stopping.check(minutes)
        short = {"seed": seed, "run.platform": platform}
        named = {name: value for name, value in short.items() if value is not None}
        named |= overrides or {}
        if spec:
            flags.leave_out(f"{spec} holds every option", {"configs": configs, "run-dir": run_dir})
            found = asking.from_spec(phase, spec, inputs, outputs, snapshots, named)
        else:
            if run_dir is None:
                raise Refused("say where to: --run-dir DIR, or --spec FILE with the output paths")
            flags.leave_out(
                "--run-dir says where everything goes", outputs | {"snapshots": snapshots}
            )
            found = asking.by_hand(phase, run_dir, configs or (), inputs, named)
        return _train(phase, found, minutes)

    main.__doc__ = DOC.format(phase.name, phase.block)
    main.__module__ = f"dreamer.v4.{phase.command}"
    return main


def _train(phase, asked, minutes):
    mesh.join(asked.options["run"])
    platforms.choose(asked.options["run"]["platform"])
    device = platforms.describe()
    ready = fit.check(phase, asked)
    with fit.alone(asked), stopping.stopper(minutes) as stop:
        kept = Finished(asked)
        if asked.finished() or kept.restore():
            fit.clean(phase, asked)
            print(kept.said())
        elif not fit.run(phase, asked, ready, stop):
            return stopping.CONTINUE
        return {"device": device, "starts": kept.starts()}
