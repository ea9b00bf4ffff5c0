"""Which layers know where the agent is: one line per layer, with chance beside every score."""

from pathlib import Path

from analysis import style
from jobs import cli, files

PLT = style.plt
COLOURS = {"ridge": style.BLUE, "robust": style.ORANGE}
MARKERS = {"ridge": "o", "robust": "D"}
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
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    shown = [name for name in SCORES if any(row["score"] == name for row in rows)]
    size = (1.5 + 2.8 * len(shown), 1.6 + 0.3 * len(layers))
    figure, axes = PLT.subplots(1, len(shown), figsize=size, sharey=True, squeeze=False)
    for axis, score in zip(axes[0], shown, strict=True):
        own = [row for row in rows if row["score"] == score]
        panel(axis, own, layers)
        swaps(axis, own, layers) if score == SWAPS else line(axis, own[0])
    axes[0, 0].set_yticks(range(len(layers)), layers)
    axes[0, 0].set_ylim(len(layers) - 0.5, -0.5)
    handles = {}
    for axis in axes[0]:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    legend = list(handles.values()), list(handles)
    figure.legend(*legend, loc="outside upper center", ncols=min(4, len(handles)), fontsize=9)
    figure.supxlabel("untrained network: not yet computed", fontsize=8, color=style.GREY)
    style.save(figure, svg)


def panel(axis, rows, layers):
    """One score: its dots, on an axis that starts at zero."""
    for method, colour in COLOURS.items():
        own = [row for row in rows if row["representation"] == method and row["value"] is not None]
        places = [layers.index(row["layer"]) for row in own]
        look = {"color": colour, "marker": MARKERS[method], "linestyle": "none", "clip_on": False}
        if own:
            axis.plot([row["value"] for row in own], places, label=method, zorder=3, **look)
    top = max(max(row["value"] or 0, row["chance"] or 0) for row in rows)
    axis.set_xlim(0, 1.08 * top or 1)
    arrow = "lower is better" if rows[0]["better"] == "low" else "higher is better"
    axis.set(title=rows[0]["score"], xlabel=f"{rows[0]['unit']} ({arrow})")
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)


def line(axis, row):
    """The chance level that all layers share."""
    if row["chance"] is not None:
        axis.axvline(row["chance"], label=f"chance: {row['chance_name']}", **style.CHANCE)


def swaps(axis, rows, layers):
    """Each layer's own null: the mean error of ridge re-trained on swapped episodes."""
    places = [layers.index(row["layer"]) for row in rows]
    look = {"color": style.GREY, "marker": "|", "markersize": 12, "linestyle": "none"}
    look["markeredgewidth"] = 2
    label = f"ridge under {rows[0]['chance_name']}"
    axis.plot([row["chance"] for row in rows], places, label=label, **look)


if __name__ == "__main__":
    cli.run(main)
