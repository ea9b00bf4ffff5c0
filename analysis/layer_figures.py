"""How the layers compare unit by unit, each number beside what whole-episode swaps give.

`table` has one row per unit, `header` is that of its file.
"""

import numpy as np

from analysis import style

PLT = style.plt
SIDES = (
    (False, "no better than chance", style.GREY),
    (True, "beats 95% of swaps", style.BLUE),
)
LOWEST = -1.0  # units that hardly vary in some episodes reach far below
KINDS = (
    ("spatial gain above 0.05", style.BLUE, "o", -0.14),
    ("facing gain above 0.1", style.ORANGE, "s", 0.14),
)


def compared(table):
    """The table with each metric from the steps that its swaps use, where there were swaps."""
    if not np.isfinite(table["si_cut"]).any():
        return table
    cut = [name for name in table if name.endswith("_cut")]
    return table.assign(**{name.removesuffix("_cut"): table[name] for name in cut})


def criterion(table):
    """(column, words) by which units count as tuned: spatial gain, or without facing EV alone."""
    if np.isfinite(table["spatial_gain"]).any():
        return "spatial_gain", "spatial gain"
    if np.isfinite(table["ev_place"]).any():
        return "ev_place", "variance explained"
    return "si", "information (bits per spike)"


def scatter(table, header, svg):
    """Every unit of every layer: information against held-out variance explained by position."""
    table = table[np.isfinite(table["ev_place"]) & np.isfinite(table["si"])]
    if not len(table):
        return style.sentence(svg, "No unit has an explained variance to draw.")
    column, ranked = criterion(table)
    names = list(dict.fromkeys(table["layer"]))
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    size = (2.7 * columns + 0.4, 2.3 * rows + 0.6)
    figure, axes = PLT.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    information = chances(header, "spatial information, median unit")
    variance = chances(header, "variance explained by position, median unit")
    for axis, name in zip(axes.flat, names, strict=False):
        units = table[table["layer"] == name]
        if name in variance:
            axis.axhline(variance[name], **style.CHANCE, label="median under whole-episode swaps")
            axis.axvline(information[name], **style.CHANCE)
        for beats, words, colour in SIDES:
            some = units[(units[f"{column}_p"] <= 0.05) == beats]
            dots = {"s": 7, "alpha": 0.5, "linewidths": 0, "rasterized": True}
            height = np.maximum(some["ev_place"], LOWEST)
            axis.scatter(some["si"], height, color=colour, label=f"{ranked} {words}", **dots)
        axis.set_title(f"{name} ({len(units)} units)", fontsize=9)
        axis.set_ylim(LOWEST - 0.1, 1.1)
        axis.locator_params(axis="x", nbins=4)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    handles, words = axes.flat[0].get_legend_handles_labels()
    figure.legend(
        handles,
        words,
        loc="outside upper center",
        ncols=1 + 2 * (columns > 2),
        markerscale=2,
        fontsize=9,
    )
    figure.supxlabel("spatial information (bits per spike)", fontsize=10)
    figure.supylabel(
        "variance explained by position\n(share, held-out episodes; below −1 drawn at −1)",
        fontsize=10,
    )
    style.save(figure, svg)


def summary(table, header, svg):
    """Layer by layer: explained variance by position and facing, and how many units are tuned."""
    names = list(dict.fromkeys(table["layer"]))
    panels = [("ev_place", "position"), ("ev_facing", "facing")]
    panels = [(column, words) for column, words in panels if np.isfinite(table[column]).any()]
    if not panels:
        return style.sentence(svg, "No unit has an explained variance to draw.")
    both = bool(rows(header, f"units with {KINDS[0][0]}"))
    size = (3.1 * (len(panels) + both) + 1.3, 0.32 * len(names) + 1.7)
    figure, axes = PLT.subplots(1, len(panels) + both, figsize=size, sharey=True, squeeze=False)
    axes = axes[0]
    height = np.arange(len(names))
    for axis, (column, words) in zip(axes, panels, strict=False):
        for place, name in zip(height, names, strict=True):
            values = table.loc[(table["layer"] == name) & np.isfinite(table[column]), column]
            if len(values):
                low, quarter, middle, most, high = np.percentile(values, [10, 25, 50, 75, 90])
                axis.plot([low, high], [place, place], color=style.SKY, linewidth=1.5)
                axis.plot([quarter, most], [place, place], color=style.SKY, linewidth=5)
                axis.plot(middle, place, "o", color=style.BLUE, markersize=5)
        ticks(axis, chances(header, f"variance explained by {words}, median unit"), names)
        axis.set(title=f"explained by {words}", xlabel="share of variance")
    if both:
        shares(axes[-1], header, names)
    axes[0].set_yticks(height, names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(
        "dot: median unit, bar: middle half, line: 10th to 90th percentile\n"
        "grey: the same number under whole-episode swaps",
        fontsize=8,
    )
    style.save(figure, svg)


def shares(axis, header, names):
    """Share of units with spatial gain and with facing gain, beside the share under swaps."""
    for words, colour, marker, shift in KINDS:
        values = {row["layer"]: row["value"] for row in rows(header, f"units with {words}")}
        place = [names.index(name) + shift for name in values]
        axis.plot(list(values.values()), place, marker, color=colour, markersize=5, label=words)
        ticks(axis, chances(header, f"units with {words}"), names, shift)
    axis.set(xlabel="share of units", xlim=(-0.03, 1.03))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8, borderpad=0)


def ticks(axis, chance, names, shift=0.0):
    """A grey stroke at the chance level of each layer."""
    places = [names.index(name) + shift for name in chance]
    stroke = {"color": style.GREY, "markersize": 6 if shift else 13, "markeredgewidth": 2}
    axis.plot(list(chance.values()), places, "|", **stroke)


def rows(header, score):
    """The summary rows of one score."""
    return [row for row in header["summary"] if row["score"] == score]


def chances(header, score):
    """{layer: chance level} of one score."""
    return {row["layer"]: row["chance"] for row in rows(header, score) if row["chance"] is not None}
