"""How every figure looks, and how it is saved: SVG and PNG, equal bytes for equal data."""

from itertools import cycle
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import EngFormatter  # noqa: E402

from jobs import files  # noqa: E402

# Okabe and Ito's colours, which stay apart for colour-blind readers.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
GREY = "#777777"
CHANCE = {"color": GREY, "linestyle": "--", "linewidth": 1.2}
HEAT = "viridis"
# Terrain of Crafter and MiniGrid by name, muted so that paths stay readable on top.
TERRAIN = {
    "water": "#9ecae1", "grass": "#c7e9c0", "stone": "#bdbdbd", "path": "#e5d8c3",
    "sand": "#fdf0c0", "tree": "#74a17a", "lava": "#f4a582", "coal": "#636363",
    "iron": "#d8b594", "diamond": "#e8f4f8", "table": "#a6761d", "furnace": "#666666",
    "unseen": "#ffffff", "empty": "#ffffff", "floor": "#f2f2f2", "wall": "#a6a6a6",
    "door": "#dfc27d", "key": "#f6e8a0", "ball": "#c5b0d5", "box": "#c49c94", "goal": "#98df8a",
    "agent": "#ffffff",
}  # fmt: skip
OTHER_TERRAIN = ("#c6b8e3", "#b8d8d8", "#f4c9d6", "#e7e1b5", "#cfe3f5", "#e2bfae")
plt.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "savefig.dpi": 150,
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK]),
        "legend.frameon": False,
        "image.cmap": HEAT,
        "svg.fonttype": "path",
        "svg.hashsalt": "dream-atlas",
    }
)


def save(figure, svg):
    """Save a figure as `svg` and as PNG beside it, atomically, and close it."""
    svg = Path(svg)
    figure.draw_without_rendering()  # else the first file is laid out without fixed aspects
    for path, settings in ((svg, {"metadata": {"Date": None}}), (svg.with_suffix(".png"), {})):
        with files.atomic(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], **settings)
    plt.close(figure)


def sentence(svg, text):
    """Save a figure that says in words why there is nothing to draw."""
    figure, axis = plt.subplots(figsize=(6, 1.2))
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color=GREY, fontsize=12)
    save(figure, svg)


def ground(materials):
    """Colours of materials by their names; those of other worlds take one after the other."""
    others = cycle(OTHER_TERRAIN)
    return [TERRAIN.get(name) or next(others) for name in materials]


def thousands():
    """Steps on an axis as 10k, 1M."""
    return EngFormatter(sep="")


def map_axes(axis, area):
    """Tile axes of a world [W, H]: y grows downward, as in the game; units on the labels."""
    axis.set(xlim=(-0.5, area[0] - 0.5), ylim=(area[1] - 0.5, -0.5), aspect="equal")
    axis.set(xlabel="x (tiles)", ylabel="y (tiles)")
    axis.locator_params(integer=True)
