"""The frames of an animation: the agent on its way through the world, and the image it saw.

In the shapes, T is steps, W x H the world in tiles.
"""

import io

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from analysis import style, views

MAP = 288  # pixels of the map's longer side at most
SEEN = 192  # pixels of the recorded image
TITLE, GAP = 22, 10
LEAST = 310  # pixels of width that the words take
TRAIL = 30  # steps that stay visible
INK, PAPER = (40, 40, 40), (255, 255, 255)
FINE = 4  # the agent is drawn larger and shrunk
KEPT = (INK, PAPER, ImageColor.getrgb(style.RED), views.OUTSIDE)  # drawn thinly or rarely
ARROW = ((0.5, 0.02), (0.95, 0.95), (0.5, 0.72), (0.05, 0.95))
TURNED = "what it faces is up"


def draw(stretch, world, view, options):
    """Pictures of all steps of a Stretch in a world [W, H, 3]; `view` is one of those in views."""
    area = world.shape[:2]
    for index, step in enumerate(stretch.step):
        facing = None if stretch.facing is None else stretch.facing[index]
        shown = view(area, stretch.place[index], facing, options)
        panels = [_map(stretch, index, world, shown)]
        if stretch.images and view is views.whole:
            panels.append(_seen(stretch.images[index]))
        words = f"episode {stretch.episode}, step {step} of {stretch.length}"
        yield beside(panels, words + (f"; {TURNED}" if _turns(stretch, view, options) else ""))


def only_seen(stretch):
    """Pictures of what was seen, where it is not known where the agent was."""
    for step, image in zip(stretch.step, stretch.images, strict=True):
        yield beside([_seen(image)], f"episode {stretch.episode}, step {step}")


def beside(panels, words):
    """Panels from left to right under a line of words; width and height are even, for MP4."""
    width = max(LEAST, sum(panel.width for panel in panels) + GAP * (len(panels) + 1))
    height = max(panel.height for panel in panels) + TITLE + GAP
    found = Image.new("RGB", (width + width % 2, height + height % 2), PAPER)
    place = GAP
    for panel in panels:
        found.paste(panel, (place, TITLE))
        place += panel.width + GAP
    ImageDraw.Draw(found).text((GAP, 4), words, INK, ImageFont.load_default(12))
    return found


def sentence(words):
    """A single picture that says why there is nothing to see."""
    found = Image.new("RGB", (480, 60), PAPER)
    ImageDraw.Draw(found).text((12, 22), words, style.GREY, ImageFont.load_default(13))
    return found


def _turns(stretch, view, options):
    turned = view is views.egocentric and options["egocentric_view"]
    return turned and stretch.facing is not None


def _map(stretch, index, world, view):
    """The part of the world in `view` with the trail that led here and the agent."""
    scale = max(2, MAP // int(max(view.size)))
    tiles = Image.fromarray(np.ascontiguousarray(view.tiles(world)))
    found = tiles.resize((tiles.width * scale, tiles.height * scale), Image.Resampling.NEAREST)
    pixels = (view.points(stretch.place[max(0, index - TRAIL) : index + 1]) + 0.5) * scale
    points = [tuple(point) for point in pixels.astype(int).tolist()]
    if len(points) > 1:
        ImageDraw.Draw(found).line(points, style.RED, max(2, scale // 6), "curve")
    heading = None if stretch.facing is None else view.heading(stretch.facing[index])
    agent = _agent(max(17, scale), heading)
    corner = (points[-1][0] - agent.width // 2, points[-1][1] - agent.height // 2)
    found.paste(agent, corner, agent)
    return found


def _agent(size, heading):
    """An arrow that points where the agent looks, or a disc where that is unknown."""
    found = Image.new("RGBA", (size * FINE, size * FINE))
    pen, width = ImageDraw.Draw(found), FINE * max(1, size // 12)
    if heading is None:
        pen.ellipse((0, 0, size * FINE - 1, size * FINE - 1), INK, "white", width)
    else:
        corners = [(x * size * FINE, y * size * FINE) for x, y in ARROW]
        pen.polygon(corners, INK, "white", width)
        found = found.rotate(90 * heading)
    return found.resize((size, size), Image.Resampling.LANCZOS)


def _seen(data):
    """A recorded image, enlarged by a whole number."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    factor = max(1, SEEN // max(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
