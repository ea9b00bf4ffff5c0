"""Where the files of imported runs and recordings lie; what is missing is refused in a sentence."""

import re
from pathlib import Path
from typing import NamedTuple

from jobs.errors import Refused

LOGS = ("metrics.jsonl", "scores.jsonl")  # the first that is there is read


class Run(NamedTuple):
    """Files of a run directory; `step` and `log` are None where there are none."""

    config: Path
    stamp: str
    agent: Path
    step: Path | None
    log: Path | None

    def files(self):
        """All of them, as inputs of a job."""
        return [path for path in (self.config, self.agent, self.step, self.log) if path]


def run(folder, checkpoint="latest"):
    """Files of the run directory `folder` and of one checkpoint in it, by its stamp or `latest`."""
    folder = Path(folder).expanduser()
    if not (folder / "config.yaml").is_file():
        raise Refused(
            f"{folder} is no run directory of DreamerV3: config.yaml is not in it; give the folder "
            "that was its --logdir"
        )
    stamp = _stamp(folder, checkpoint)
    agent = folder / "ckpt" / stamp / "agent.pkl"
    if not agent.is_file():
        known = sorted(path.parent.name for path in folder.glob("ckpt/*/agent.pkl"))
        raise Refused(
            f"{agent} does not exist; there "
            + (f"are the checkpoints {', '.join(known)}" if known else "is no checkpoint at all")
        )
    step = agent.with_name("step.pkl")
    logs = [folder / name for name in LOGS if (folder / name).is_file()]
    return Run(folder / "config.yaml", stamp, agent, step if step.is_file() else None,
               logs[0] if logs else None)  # fmt: skip


def recordings(folder):
    """The pickles with the episodes of `folder`: one file each, or all in all_episodes.pkl.

    The path of a Parquet file stands for itself.
    """
    folder = Path(folder).expanduser()
    if folder.suffix == ".parquet" and folder.is_file():
        return [folder]
    found = sorted(folder.glob("episode_*.pkl")) or sorted(folder.glob("all_episodes.pkl"))
    if not found:
        raise Refused(
            f"{folder} holds no recorded episodes: neither episode_*.pkl nor all_episodes.pkl is "
            "in it; give the folder that they were saved to, or a .parquet file"
        )
    return found


def _stamp(folder, checkpoint):
    """Name of a folder in `ckpt`: `checkpoint` itself, or what the file `latest` holds."""
    place = "checkpoint"
    if checkpoint == "latest":
        place = folder / "ckpt" / "latest"
        if not place.is_file():
            raise Refused(
                f"{place} does not exist, so the newest checkpoint is not known; name one"
            )
        checkpoint = place.read_text(errors="replace").strip()
    if not re.fullmatch(r"\w[\w.-]*", checkpoint):
        raise Refused(f"{place} holds {checkpoint[:60]!r}, which is no checkpoint's name; name one")
    return checkpoint
