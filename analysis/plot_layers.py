"""Which layers know where the agent is: one line per layer, with chance beside every score."""

from pathlib import Path

from analysis import method_looks, style
from jobs import cli, files

PLT = style.plt
SWAPS = "mean Euclidean error, cut episodes"  # other episodes and one fold: a panel of its own
SCORES = ("mean Euclidean error", SWAPS, "top-1 accuracy", "cross-entropy")


def main(spec: Path, scores: Path, layer_comparison: Path):
    """Draw the layer comparison from the scores of position decoding."""
    cli.options(spec)
    draw_layer_comparison(files.read_json(scores), layer_comparison)


def draw_layer_comparison(scores, svg):
    """Dots per layer and method, a dashed line at the chance level of each score."""
    rows = scores["summary"]
    if not rows:
        return style.sentence(svg, "No layer was decoded: " + " ".join(scores["notes"]))
    layers = order(rows, scores["controls"])
    shown = [name for name in SCORES if any(row["score"] == name for row in rows)]
    size = (1.5 + 2.8 * len(shown), 1.6 + 0.3 * len(layers))
    figure, axes = PLT.subplots(1, len(shown), figsize=size, sharey=True, squeeze=False)
    for axis, score in zip(axes[0], shown, strict=True):
        own = [row for row in rows if row["score"] == score]
        panel(axis, own, layers)
        swaps(axis, own, layers) if score == SWAPS else line(axis, own[0])
        if 0 < len(scores["controls"]) < len(layers):
            edge = len(layers) - len(scores["controls"]) - 0.5
            axis.axhline(edge, color=style.BLACK, linewidth=0.8)
    axes[0, 0].set_yticks(range(len(layers)), layers)
    axes[0, 0].set_ylim(len(layers) - 0.5, -0.5)
    handles = {}
    for axis in axes[0]:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    legend = list(handles.values()), list(handles)
    figure.legend(*legend, loc="outside upper center", ncols=min(4, len(handles)), fontsize=9)
    figure.supxlabel(footnote(scores), fontsize=8, color=style.GREY)
    style.save(figure, svg)


def order(rows, controls):
    """The representations from top to bottom: the layers as recorded, the controls last."""
    names = list(dict.fromkeys(row["layer"] for row in rows))
    return [name for name in names if name not in controls] + [
        name for name in names if name in controls
    ]


def footnote(scores):
    """What the lines below the edge are, and what is missing."""
    told = ["below the line: controls without a trained memory"] if scores["controls"] else []
    return "; ".join([*told, *scores["not_yet"]])


def panel(axis, rows, layers):
    """One score: its dots, hollow for the untrained network, on an axis that starts at zero."""
    for method in dict.fromkeys(row["representation"] for row in rows):
        own = [row for row in rows if row["representation"] == method and row["value"] is not None]
        look = {"color": method_looks.colour(method), "marker": method_looks.marker(method)}
        look |= {"linestyle": "none", "clip_on": False}
        dots(axis, own, layers, "value", method, zorder=3, **look)
        blank = [row for row in own if row["control"] is not None]
        label = method_looks.label(method, method_looks.UNTRAINED)
        dots(axis, blank, layers, "control", label, fillstyle="none", **look)
    top = max(row[key] or 0 for row in rows for key in ("value", "chance", "control"))
    axis.set_xlim(0, 1.08 * top or 1)
    arrow = "lower is better" if rows[0]["better"] == "low" else "higher is better"
    axis.set(title=rows[0]["score"], xlabel=f"{rows[0]['unit']} ({arrow})")
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)


def dots(axis, rows, layers, key, label, **look):
    """One number of each row at the height of its layer."""
    if rows:
        places = [layers.index(row["layer"]) for row in rows]
        axis.plot([row[key] for row in rows], places, label=label, **look)


def line(axis, row):
    """The chance level that all layers share."""
    if row["chance"] is not None:
        axis.axvline(row["chance"], label=f"chance: {row['chance_name']}", **style.CHANCE)


def swaps(axis, rows, layers):
    """Each layer's own null: the mean error of a decoder re-trained on swapped episodes."""
    for method in dict.fromkeys(row["representation"] for row in rows):
        own = [row for row in rows if row["representation"] == method]
        look = {"color": method_looks.colour(method), "alpha": 0.5, "marker": "|"}
        look |= {"markersize": 12, "markeredgewidth": 2, "linestyle": "none"}
        dots(axis, own, layers, "chance", f"{method} under {own[0]['chance_name']}", **look)


if __name__ == "__main__":
    cli.run(main)
