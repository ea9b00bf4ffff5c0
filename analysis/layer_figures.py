"""How the layers compare unit by unit, beside whole-episode swaps and the untrained network.

`table` has one row per unit with its class, `summary` the rows of scores.
"""

import numpy as np

from analysis import style
from analysis.cell_rules import BORDER, BOTH, CLASSES, HEAD, OTHER, PLACE, SPATIAL, UNTUNED

PLT = style.plt
LOWEST = -1.0  # units that hardly vary in some episodes reach far below
COLOURS = {
    PLACE: style.BLUE, BORDER: style.ORANGE, HEAD: style.RED, BOTH: style.PURPLE,
    SPATIAL: style.GREEN, OTHER: style.SKY, UNTUNED: "#c4c4c4",
}  # fmt: skip
UNTRAINED = {"color": style.BLACK, "marker": "x", "markersize": 4.5, "linestyle": "none"}


def compared(table):
    """The table with each metric from the steps that its swaps use, where there were swaps."""
    if not np.isfinite(table["si_cut"]).any():
        return table
    cut = [name for name in table if name.endswith("_cut")]
    return table.assign(**{name.removesuffix("_cut"): table[name] for name in cut})


def scatter(table, summary, svg):
    """Every unit of every layer: information against held-out variance explained by position."""
    table = table[np.isfinite(table["ev_place"]) & np.isfinite(table["si"])]
    if not len(table):
        return style.sentence(svg, "No unit has an explained variance to draw.")
    names = list(dict.fromkeys(table["layer"]))
    columns = min(4, len(names))
    count = -(-len(names) // columns)
    size = (max(6.4, 2.7 * columns + 0.4), max(3.6, 2.3 * count + 0.9))
    figure, axes = PLT.subplots(count, columns, figsize=size, squeeze=False, sharey=True)
    for axis, name in zip(axes.flat, names, strict=False):
        units = table[table["layer"] == name]
        _medians(axis, summary, name)
        _dots(axis, units[units["network"] == "untrained"], style.GREY, "untrained network", "x")
        units = units[units["network"] == "trained"]
        for kind in reversed([kind for kind in COLOURS if kind in set(table["class"])]):
            _dots(axis, units[units["class"] == kind], COLOURS[kind], kind, "o")
        axis.set_title(f"{name} ({len(units)} units)", fontsize=9)
        axis.set_ylim(LOWEST - 0.1, 1.1)
        axis.locator_params(axis="x", nbins=4)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    legend(figure, axes.flat[: len(names)], max(4, columns))
    figure.supxlabel("spatial information (bits per spike)", fontsize=10)
    figure.supylabel(
        "variance explained by position\n(held-out episodes; below −1 drawn at −1)", fontsize=9
    )
    style.save(figure, svg)


def _medians(axis, summary, name):
    variance = chances(summary, "variance explained by position, median unit")
    information = chances(summary, "spatial information, median unit")
    if name in variance:
        axis.axhline(variance[name], **style.CHANCE, label="median under swaps")
        axis.axvline(information[name], **style.CHANCE)


def _dots(axis, units, colour, label, marker):
    if len(units):
        look = {"s": 8, "alpha": 0.6, "linewidths": 0.5 if marker == "x" else 0, "marker": marker}
        height = np.maximum(units["ev_place"], LOWEST)
        axis.scatter(units["si"], height, color=colour, label=label, rasterized=True, **look)


def legend(figure, axes, columns):
    """One legend above all panels, in the order of the classes."""
    handles = {}
    for axis in axes:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    words = sorted(handles, key=lambda word: CLASSES.index(word) if word in CLASSES else 99)
    handles = [handles[word] for word in words]
    place = {"loc": "outside upper center", "ncols": columns, "fontsize": 8, "markerscale": 1.6}
    figure.legend(handles, words, **place)


def summary(table, summary, gains, svg):
    """Layer by layer: explained variance by position and facing, and how many units are tuned.

    `gains` are the scores of shares of units, with the words for them.
    """
    table = table[table["network"] == "trained"]
    names = list(dict.fromkeys(table["layer"]))
    panels = [("ev_place", "position"), ("ev_facing", "facing")]
    panels = [(column, words) for column, words in panels if np.isfinite(table[column]).any()]
    if not panels:
        return style.sentence(svg, "No unit has an explained variance to draw.")
    size = (3.1 * (len(panels) + bool(gains)) + 1.3, 0.34 * len(names) + 2.0)
    shape = {"figsize": size, "sharey": True, "squeeze": False}
    figure, axes = PLT.subplots(1, len(panels) + bool(gains), **shape)
    for axis, (column, words) in zip(axes[0], panels, strict=False):
        for place, name in enumerate(names):
            _spread(axis, place, table.loc[table["layer"] == name, column])
        score = f"variance explained by {words}, median unit"
        ticks(axis, chances(summary, score), names)
        crosses(axis, controls(summary, score), names)
        axis.set(title=f"explained by {words}", xlabel="share of variance")
    if gains:
        shares(axes[0][-1], summary, gains, names)
    axes[0][0].set_yticks(range(len(names)), names)
    axes[0][0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(
        "dot: median unit, bar: middle half, line: 10th to 90th percentile\n"
        f"grey stroke: the same number under swaps; {_beside(summary)}",
        fontsize=8,
    )
    style.save(figure, svg)


def _beside(summary):
    known = any(row["control"] is not None for row in summary)
    return "cross: untrained network" if known else "untrained network: not given"


def _spread(axis, place, values):
    values = values[np.isfinite(values)]
    if len(values):
        low, quarter, middle, most, high = np.percentile(values, [10, 25, 50, 75, 90])
        axis.plot([low, high], [place, place], color=style.SKY, linewidth=1.5)
        axis.plot([quarter, most], [place, place], color=style.SKY, linewidth=5)
        axis.plot(middle, place, "o", color=style.BLUE, markersize=5)


def shares(axis, summary, gains, names):
    """Shares of units with each of the gains, beside the share under swaps and untrained."""
    looks = [(style.BLUE, "o", -0.2), (style.ORANGE, "s", 0.0), (style.GREEN, "^", 0.2)]
    for score, (colour, marker, shift) in zip(gains, looks, strict=False):
        values = {row["layer"]: row["value"] for row in rows(summary, score)}
        place = [names.index(name) + shift for name in values]
        words = score.removeprefix("units with ")
        axis.plot(list(values.values()), place, marker, color=colour, markersize=4.5, label=words)
        ticks(axis, chances(summary, score), names, shift)
        crosses(axis, controls(summary, score), names, shift)
    axis.set(xlabel="share of units", xlim=(-0.03, 1.03))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8, borderpad=0)


def ticks(axis, chance, names, shift=0.0):
    """A grey stroke at the chance level of each layer."""
    places = [names.index(name) + shift for name in chance]
    stroke = {"color": style.GREY, "markersize": 6 if shift else 13, "markeredgewidth": 2}
    axis.plot(list(chance.values()), places, "|", **stroke)


def crosses(axis, control, names, shift=0.0):
    """A cross at the same number of the untrained network."""
    places = [names.index(name) + shift for name in control]
    axis.plot(list(control.values()), places, **UNTRAINED)


def rows(summary, score):
    """The summary rows of one score."""
    return [row for row in summary if row["score"] == score]


def chances(summary, score):
    """{layer: chance level} of one score."""
    return {row["layer"]: row["chance"] for row in rows(summary, score)
            if row["chance"] is not None}  # fmt: skip


def controls(summary, score):
    """{layer: the untrained network's number} of one score."""
    return {row["layer"]: row["control"] for row in rows(summary, score)
            if row["control"] is not None}  # fmt: skip
