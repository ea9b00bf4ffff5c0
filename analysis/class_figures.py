"""Which kinds of cells each layer has, trained beside untrained and beside whole-episode swaps."""

import numpy as np

from analysis import layer_figures, style
from analysis.cell_rules import TUNED
from analysis.class_scores import WELL

PLT = style.plt
NOTHING = "No unit is tuned by the rules: neither trained nor untrained nor under swaps."
# What is drawn of each layer, from above: key of a row, bar height, place, opacity.
BARS = (("value", 0.34, -0.24, 1.0), ("control", 0.2, 0.08, 0.55), ("chance", 0.12, 0.3, 0.55))


def draw(summary, names, svg):
    """Fractions of each class over all units and over well-tuned ones, trained beside untrained.

    `names` {class: its score}, of all units; `summary` are the rows of the classes.
    """
    sides = [("of all units", ""), ("of well-tuned units", WELL)]
    layers = list(dict.fromkeys(row["layer"] for row in summary))
    shown = [row[key] for row in summary for key, *_ in BARS if row["score"] in names.values()]
    if not any(shown):
        return style.sentence(svg, NOTHING)
    height = 0.62 * len(layers) + 1.7
    figure, axes = PLT.subplots(1, 2, figsize=(9.6, height), sharey=True)
    for axis, (words, ending) in zip(axes, sides, strict=True):
        for key, thick, shift, alpha in BARS:
            _stacked(axis, summary, {kind: score + ending for kind, score in names.items()},
                     layers, key, thick, shift, alpha)  # fmt: skip
        axis.set(title=words, xlabel="share of units", xlim=(0, 1))
    axes[0].set_yticks(range(len(layers)), layers)
    axes[0].set_ylim(len(layers) - 0.4, -0.6)
    layer_figures.legend(figure, axes, len(names))
    known = any(row["control"] is not None for row in summary)
    middle = "untrained network" if known else "untrained network (not given)"
    figure.supxlabel(
        f"in each layer from above: trained; {middle}; under swaps; empty: no such units",
        fontsize=8,
    )
    style.save(figure, svg)


def _stacked(axis, summary, scores, layers, key, thick, shift, alpha):
    start = np.zeros(len(layers))
    for kind, score in scores.items():
        found = {row["layer"]: row[key] or 0 for row in layer_figures.rows(summary, score)}
        width = np.array([found.get(name, 0) for name in layers])
        look = {"color": layer_figures.COLOURS[kind], "alpha": alpha}
        look["label"] = kind if key == "value" else None
        axis.barh(np.arange(len(layers)) + shift, width, thick, left=start, **look)
        start += width


def scored(summary):
    """{class: its score over all units}, as far as there are any."""
    known = {row["score"] for row in summary}
    return {kind: score for kind in TUNED for score in (kind, f"{kind} (published rules)")
            if score in known}  # fmt: skip
