"""How figures over seeds look: a dot per seed, and mean with interval where there are three.

`table` has one row per run x seed x score, `means` one per run x score.
"""

import numpy as np

from analysis import seeds, style

PLT = style.plt
COLOURS = [style.BLUE, style.ORANGE, style.GREEN, style.RED, style.PURPLE, style.SKY, style.BLACK]
NO_CURVES = "No run has scores of training episodes to draw."
BESIDE = {
    ("control", "untrained network"): {
        "marker": "x", "color": style.BLACK, "markersize": 4, "linestyle": "none",
    },
    ("chance", "chance"): {
        "marker": "|", "color": style.GREY, "markersize": 7, "linestyle": "none",
    },
}  # fmt: skip


def colours(table):
    """{run: colour}, in the order of the table."""
    names = list(dict.fromkeys(table["run"]))
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}


def layered(table, means, scores, looks, svg, empty):
    """One panel per score, a line per layer: `scores` [(score, title)], `looks` {run: colour}."""
    table, means = (item[item["layer"].notna()] for item in (table, means))
    scores = [item for item in scores if (table["score"] == item[0]).any()]
    if not scores:
        return style.sentence(svg, empty)
    layers = list(dict.fromkeys(table["layer"]))
    columns = min(3, len(scores))
    rows = -(-len(scores) // columns)
    height = (0.12 + 0.11 * len(looks)) * len(layers) + 1.0
    size = (max(6.4, 2.6 * columns + 1.6), max(2.2, height) * rows + 0.8)
    shape = {"figsize": size, "sharey": True, "squeeze": False}
    figure, axes = PLT.subplots(rows, columns, **shape)
    for axis, (score, title) in zip(axes.flat, scores, strict=False):
        own = [item[item["score"] == score] for item in (table, means)]
        panel(axis, *own, layers, looks)
        unit = own[0]["unit"].iloc[0]
        arrow = f"{own[0]['better'].iloc[0]}er is better"
        axis.set(title=title, xlabel=f"{unit} ({arrow})" if unit else arrow)
        axis.locator_params(axis="x", nbins=5)
    for axis in axes.flat[len(scores) :]:
        axis.set_axis_off()
    axes[0, 0].set_yticks(range(len(layers)), layers)
    axes[0, 0].set_ylim(len(layers) - 0.5, -0.5)
    legend(figure, axes.flat[: len(scores)])
    figure.supxlabel(words(table), fontsize=8, color=style.GREY)
    style.save(figure, svg)


def panel(axis, table, means, layers, looks):
    """Seeds as dots, mean and interval over them, chance and the untrained network beside."""
    for index, (run, colour) in enumerate(looks.items()):
        shift = 0.7 * ((index + 0.5) / len(looks) - 0.5)
        own, summed = table[table["run"] == run], means[means["run"] == run]
        place = _place(own, layers) + shift
        look = {"color": colour, "markersize": 4, "alpha": 0.6, "markeredgewidth": 0}
        axis.plot(own["value"], place, "o", zorder=3, label=run, **look)
        height = _place(summed, layers) + shift
        axis.hlines(height, summed["low"], summed["high"], color=colour, linewidth=1)
        known = summed["low"].notna()
        tick = {"color": colour, "markersize": 8, "markeredgewidth": 2}
        axis.plot(summed["mean"][known], height[known], "|", **tick)
        for (column, label), look in BESIDE.items():
            known = summed[column].notna()
            if known.any():
                axis.plot(summed[column][known], height[known], label=label, **look)
    axis.set_yticks(np.arange(len(layers) - 1) + 0.5, minor=True)
    axis.grid(axis="y", which="minor", color="#dddddd", linewidth=0.6)
    axis.tick_params(axis="y", which="minor", length=0)


def learning(table, looks, svg):
    """A panel per curve of training: each seed thin, the mean thick, the interval as a band.

    `looks` {run: colour}.
    """
    if not len(table):
        return style.sentence(svg, NO_CURVES)
    names = list(dict.fromkeys(table["curve"]))
    size = (max(6.4, 4.3 * len(names)), 3.9)
    figure, axes = PLT.subplots(1, len(names), figsize=size, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        own = table[table["curve"] == name]
        band(axis, own, looks)
        axis.set(title=f"episode {name}", ylabel=own["unit"].iloc[0], xlabel="environment steps")
    legend(figure, axes[0])
    explain(figure, table)
    style.save(figure, svg)


def band(axis, table, looks):
    """One curve of training: each seed thin, the mean thick, the interval as a band."""
    for (run, _), part in table.groupby(["run", "seed"], sort=False):
        look = {"color": looks[run], "linewidth": 0.8, "alpha": 0.5}
        axis.plot(part["step"], part["value"], **look)
    for run, part in table.groupby("run", sort=False):
        part = part.drop_duplicates("step")
        axis.plot(part["step"], part["mean"], color=looks[run], linewidth=2, label=run)
        axis.fill_between(
            part["step"], part["low"], part["high"], color=looks[run], alpha=0.2, linewidth=0
        )
    axis.xaxis.set_major_formatter(style.thousands())


def explain(figure, table):
    """What the lines of `band` are, and which runs have too few seeds for an interval."""
    told = "thin: running mean of each seed; thick: their mean; band: 95% interval of the mean"
    figure.supxlabel(f"{told}{_few(table)}", fontsize=8, color=style.GREY)


def legend(figure, axes):
    """One legend above all panels, each word once."""
    handles = {}
    for axis in axes:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    last = [label for _, label in BESIDE]
    words = [word for word in handles if word not in last]
    words += [word for word in last if word in handles]
    place = {"loc": "outside upper center", "ncols": 5, "fontsize": 9}
    figure.legend([handles[word] for word in words], words, **place)


def words(table):
    """What dots and bars are, and which runs have too few seeds for an interval."""
    return f"dot: a seed; bar: 95% interval of the mean over seeds{_few(table)}"


def _place(table, layers):
    return table["layer"].map(layers.index).astype(float)


def _few(table):
    counts = table.groupby("run", sort=False)["seed"].nunique()
    few = [f"{run} has {count}" for run, count in counts.items() if count < seeds.LEAST]
    return f"\n{seeds.NONE[:-1]} ({', '.join(few)})." if few else ""
