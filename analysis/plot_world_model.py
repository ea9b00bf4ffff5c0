"""Figures of a world model's evaluation, from its tables alone."""

from pathlib import Path

from analysis import clip_images, foreseen_figures
from dreamer import trajectory
from jobs import cli

STEP_MS = 350


def main(
    spec: Path,
    steps: Path,
    clips: Path,
    foreseen_quality: Path,
    sampling_steps: Path,
    flow_error: Path,
    free_run: Path,
    reward_calibration: Path,
    clip_strips: Path,
    clip_video: Path,
):
    """Draw what was foreseen, how well, and where free runs drift to."""
    cli.options(spec)
    about, table = trajectory.read_log(steps, "world_model")
    usual = about["agent"]["options"]["dyn"]["rungs"]
    foreseen_figures.quality(table, usual, foreseen_quality)
    foreseen_figures.sweep(table, usual, sampling_steps)
    foreseen_figures.flow(table, flow_error)
    foreseen_figures.free(table, free_run)
    foreseen_figures.heads(table, reward_calibration)
    shown = clip_images.films(trajectory.read_log(clips, "world_model_clips")[1])
    clip_images.strips(shown, clip_strips)
    clip_images.video(shown, about["actions"], clip_video, STEP_MS)


if __name__ == "__main__":
    cli.run(main)
