"""How well each layer tells where the agent is, checkpoint by checkpoint of its training."""

from pathlib import Path

from analysis import style
from jobs import cli, files

PLT = style.plt
MARKERS = "oDs^vPX"


def main(spec: Path, scores: Path, decoding_over_training: Path):
    """Draw the figure from the scores alone."""
    cli.options(spec)
    draw(files.read_json(scores), decoding_over_training)


def draw(scores, svg):
    """Mean error against environment steps, a line per layer; the untrained network stands at 0."""
    curves, chance = scores["curves"], scores["chance"]
    if not curves:
        return style.sentence(svg, "No checkpoint was decoded. " + " ".join(scores["notes"]))
    figure, axis = PLT.subplots(figsize=(6.4, 4))
    for number, layer in enumerate(dict.fromkeys(item["layer"] for item in curves)):
        own = sorted((item for item in curves if item["layer"] == layer), key=_step)
        line(axis, own, layer, MARKERS[number % len(MARKERS)])
    label = f"chance: {chance['name']}"
    axis.axhline(chance["value"], label=label, **style.CHANCE)
    top = max(chance["value"], *(item["value"] for item in curves))
    axis.set(xlabel="environment steps of training", ylim=(0, 1.08 * top))
    axis.set_ylabel("mean Euclidean error (tiles; lower is better)")
    axis.xaxis.set_major_formatter(style.thousands())
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    style.save(figure, svg)


def line(axis, items, layer, marker):
    """One layer; hollow where the network is untrained."""
    steps, values = [_step(item) for item in items], [item["value"] for item in items]
    (drawn,) = axis.plot(steps, values, label=layer, marker=marker, markersize=6, linewidth=1.5)
    for item in items:
        if item["untrained"]:
            look = {"marker": marker, "markersize": 6, "markerfacecolor": "white"}
            axis.plot(item["step"], item["value"], color=drawn.get_color(), clip_on=False, **look)


def _step(item):
    return item["step"]


if __name__ == "__main__":
    cli.run(main)
