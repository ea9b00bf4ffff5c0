"""Dreams beside what really happened: errors, paths and maps over the world, images, a video.

The figures read the tables of dream decoding; a sentence stands where there is nothing to draw.
"""

from pathlib import Path

from analysis import dream_figures, dream_images, dream_probmaps, dream_video, style
from dreamer import trajectory as contract
from jobs import cli, files

NO_IMAGES = (
    "No dream images were kept: dreams.image_share is 0, or the world shows no observation image."
)
NO_MAPS = "No classifier was fitted, so there are no probabilities."


def main(
    spec: Path,
    scores: Path,
    steps: Path,
    maps: Path,
    dreams: Path,
    trajectory: Path,
    dream_video: Path,
    dream_vs_real: Path,
    dream_trajectories_world: Path,
    dream_coherence: Path,
    dream_strip: Path,
    dream_probmap_policy: Path,
    dream_probmap_forced: Path,
):
    """Draw the figures of dreams and of what really came after the same starts."""
    options, found = cli.options(spec), files.read_json(scores)
    every, kept = (
        contract.read_log(*table)[1] for table in ((steps, "dreams_steps"), (maps, "dreams_maps"))
    )
    draw_images(found, dreams, trajectory, dream_strip, dream_video, options["step_ms"])
    probmaps = {"policy": dream_probmap_policy, "forced": dream_probmap_forced}
    if not found["details"]:
        decoded = (dream_vs_real, dream_trajectories_world, dream_coherence, *probmaps.values())
        for svg in decoded:
            style.sentence(svg, found["notes"][0])
        return
    dream_figures.draw_errors(found, dream_vs_real)
    dream_figures.draw_paths(every, trajectory, dream_trajectories_world)
    dream_figures.draw_coherence(found, dream_coherence)
    draw_maps(kept, every, trajectory, probmaps)


def draw_maps(maps, steps, trajectory, figures):
    """Probability of every tile, one figure per kind of dream, of one classifier."""
    if not len(maps):
        for svg in figures.values():
            style.sentence(svg, NO_MAPS)
        return
    name = dream_figures.representation(dict.fromkeys(maps["representation"]))
    methods = set(maps["method"])
    method = "robust" if "robust" in methods else min(methods)
    maps, steps = (
        table[(table["representation"] == name) & (table["method"] == method)]
        for table in (maps, steps)
    )
    for variant, svg in figures.items():
        dream_probmaps.draw(maps, steps, variant, trajectory, svg)


def draw_images(found, dreams, trajectory, strip, video, step_ms):
    """What the agent saw beside what it dreamt, as rows of images and as moving picture."""
    strips = dream_images.strips(dreams, trajectory, found["examples"])
    if strips:
        dream_images.draw(strips, strip)
        return dream_video.draw(strips, video, step_ms)
    words = NO_IMAGES if found["examples"] else found["notes"][0]
    style.sentence(strip, words)
    dream_video.sentence(video, words)


if __name__ == "__main__":
    cli.run(main)
