"""Figures and animations of behaviour: where the agent went, what it saw, what its units did there.

The name of a file says what it shows (one of FIGURES or ANIMATIONS), its suffix in which form.
"""

from pathlib import Path

from analysis import (
    animation,
    frames,
    path_figures,
    seen_world,
    space_activity,
    style,
    views,
    walked,
)
from jobs import cli, files, mp4
from jobs.errors import Refused

FIGURES = {
    "paths": path_figures.paths,
    "heat_map": path_figures.heat_map,
    "episode_path": path_figures.episode_path,
    "full_world": path_figures.full_world,
    "world_overlay": seen_world.draw,
    "activation_over_space": space_activity.draw,
}
ANIMATIONS = {
    "animation": views.whole,
    "windowed_animation": views.window,
    "egocentric_animation": views.egocentric,
}
NOWHERE = "The recording has no positions."
NOTHING = "The recording has neither positions nor images."


def draw(found, options, svg):
    """Draw a figure; returns the words that its caption needs beside the usual ones."""
    if not found.placed:
        style.sentence(svg, NOWHERE)
        return ""
    return FIGURES[svg.stem](found, options, svg)


def animate(found, stretch, options, paths):
    """Write one animation in each of the forms asked for; returns which steps it shows."""
    name = paths[0].stem
    pictures, words = _pictures(found, stretch, options, name)
    count = len(pictures)
    for path in paths:
        if path.suffix == ".gif":
            count = animation.gif(path, pictures, options["step_ms"], frames.KEPT)
        else:
            mp4.write(path, pictures, options["step_ms"], "behavior.mp4")
    if words:
        return words
    first, last = stretch.step[0], stretch.step[count - 1]
    steps = f"steps {first} to {last}"
    return f"Shown are {steps} of episode {stretch.episode} ({stretch.length} steps)."


def _pictures(found, stretch, options, name):
    if found.placed:
        world = walked.colours(found)
        world = views.blank(found.header["area"]) if world is None else world
        return list(frames.draw(stretch, world, ANIMATIONS[name], options)), ""
    if stretch.images and name == "animation":
        return list(frames.only_seen(stretch)), ""
    words = NOWHERE if stretch.images else NOTHING
    return [frames.sentence(words)], words


def main(spec: Path, trajectory: Path, captions: Path, figures: list[Path]):
    """Draw what `figures` name; `captions` gets {name: words} of what each shows."""
    options = cli.options(spec)
    unknown = [path.name for path in figures if path.stem not in {**FIGURES, **ANIMATIONS}]
    if unknown:
        known = ", ".join([*FIGURES, *ANIMATIONS])
        raise Refused(f"there is no figure {', '.join(unknown)} of behaviour; there are {known}")
    found = walked.load(trajectory)
    told = {path.stem: draw(found, options, path) for path in figures if path.stem in FIGURES}
    moving = dict.fromkeys(path.stem for path in figures if path.stem in ANIMATIONS)
    stretch = walked.example(found) if moving else None
    for name in moving:
        paths = [path for path in figures if path.stem == name]
        told[name] = animate(found, stretch, options, paths)
    files.write_json(captions, told)


if __name__ == "__main__":
    cli.run(main)
