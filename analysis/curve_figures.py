"""Small panels of curves, one per metric of a training."""

from analysis import style

PLT = style.plt
HELD_OUT = "test/"
NAMES = {
    "rec": "image reconstruction",
    "rew": "reward",
    "con": "continuation",
    "dyn": "dynamics (prior to posterior)",
    "rep": "representation (posterior to prior)",
    "score": "episode score",
    "length": "episode length",
}


def grid(table, svg, empty, steps="environment steps", names=NAMES, columns=3):
    """One small panel per curve of a long-form table: thin line values, thick line running mean.

    Curves of held-out data, whose names begin with HELD_OUT, are dots beside those of training.
    """
    if not len(table):
        return style.sentence(svg, empty)
    named = dict(list(table.groupby("curve", sort=False)))
    parts = [item for item in named.items() if item[0].removeprefix(HELD_OUT) not in named
             or not item[0].startswith(HELD_OUT)]  # fmt: skip
    columns = min(columns, len(parts))
    rows = -(-len(parts) // columns)
    figure, axes = PLT.subplots(rows, columns, figsize=(3.4 * columns, 2.5 * rows), squeeze=False)
    for axis, (name, part) in zip(axes.flat, parts, strict=False):
        line(axis, part)
        if HELD_OUT + name in named:
            other = named[HELD_OUT + name]
            axis.plot(other["step"], other["value"], "o", color=style.ORANGE, markersize=4)
        axis.set(title=names.get(name, name), ylabel=part["unit"].iloc[0])
    for axis in axes.flat[len(parts) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, len(parts) - columns) : len(parts)]:
        axis.set_xlabel(steps)
    style.save(figure, svg)


def everything(table, svg, steps="environment steps"):
    """All curves under the names they were logged by, so that no viewer is needed to see them."""
    grid(table, svg, "No metric was logged or asked for.", steps, {}, columns=4)


def line(axis, part):
    """One curve; a logarithmic axis where it spans more than a factor of 20 above zero."""
    axis.plot(part["step"], part["value"], color=style.SKY, linewidth=0.6, alpha=0.7)
    axis.plot(part["step"], part["smooth"], color=style.BLUE, linewidth=2)
    low, high = part["smooth"].min(), part["smooth"].max()
    if low > 0 and high > 20 * low:
        axis.set_yscale("log")
    axis.xaxis.set_major_formatter(style.thousands())
