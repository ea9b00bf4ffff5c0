"""Curves of a world model's evaluation, each beside its floor, ceiling or criterion."""

import numpy as np

from analysis import style

PLT = style.plt
SIDES = {
    "ceiling": ("reconstruction of the truth (ceiling)", style.BLACK, ":"),
    "across": ("actions of another clip", style.RED, "-"),
    "time": ("actions in another order", style.ORANGE, "-"),
    "null": ("no actions", style.PURPLE, "-"),
    "repeat": ("last frame repeated", style.GREY, "--"),
    "mean": ("mean frame", style.SKY, "--"),
}
QUALITY = {
    "psnr": ("PSNR (dB), higher is better", SIDES),
    "ssim": ("SSIM, higher is better", SIDES),
    "latent": ("latent error (variance), lower is better", ("across", "time", "null", "repeat")),
}
SWEEP = {
    "sweep psnr": "PSNR (dB)",
    "sweep spread": "spread, share of the truth's",
    "sweep sharpness": "sharpness, share of the truth's",
}
NAMES = {
    "brightness": style.ORANGE,
    "contrast": style.BLUE,
    "sharpness": style.GREEN,
    "change": style.PURPLE,
}


def quality(table, usual, svg):
    """Quality over the horizon: images by two measures, and latents."""
    figure, axes = PLT.subplots(1, len(QUALITY), figsize=(11.5, 3.6))
    for axis, (panel, (label, sides)) in zip(axes, QUALITY.items(), strict=True):
        x, values = _curve(table, panel, f"k{usual}")
        words = f"foreseen, K = {usual}"
        axis.plot(x, values, color=style.BLUE, linewidth=2.2, marker="o", markersize=3, label=words)
        for name in sides:
            words, colour, line = SIDES[name]
            x, values = _curve(table, panel, name)
            axis.plot(x, values, color=colour, linestyle=line, linewidth=1.3, label=words)
        axis.set(xlabel="horizon h (frames)", ylabel=label)
        axis.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    style.save(figure, svg)


def sweep(table, usual, svg):
    """What more Euler steps per frame bring, by three measures."""
    figure, axes = PLT.subplots(1, len(SWEEP), figsize=(9.5, 2.8))
    for axis, (panel, label) in zip(axes, SWEEP.items(), strict=True):
        x, values = _curve(table, panel, "")
        axis.plot(x, values, color=style.BLUE, marker="o")
        axis.plot(x[x == usual], values[x == usual], "o", color=style.ORANGE, markersize=8)
        if panel != "sweep psnr":
            axis.axhline(1, **style.CHANCE)
        axis.set_xscale("log", base=2)
        axis.set_xticks(x, [f"{number:g}" for number in x])
        axis.minorticks_off()
        axis.ticklabel_format(axis="y", useOffset=False)
        axis.set(xlabel="Euler steps K per frame", ylabel=label)
    style.save(figure, svg)


def flow(table, svg):
    """Error of one prediction by signal level beside its floors; that of the bootstrap by step."""
    figure, (left, right) = PLT.subplots(1, 2, figsize=(9.5, 3.4), width_ratios=(2, 1))
    x, floor = _curve(table, "flow", "covariance")
    left.plot(x, floor, color=style.GREY, linestyle="--", label="best without the past")
    left.plot(x, floor / 3, color=style.GREY, linestyle=":", label="a third of it, to pass")
    left.plot(*_curve(table, "flow", "independent"), color=style.SKY, linestyle="--",
              label="same, taking units as independent")  # fmt: skip
    left.plot(*_curve(table, "flow", "error"), color=style.BLUE, marker="o", label="prediction")
    left.plot(*_curve(table, "flow", "copy"), "s", color=style.BLACK,
              label="last latents copied")  # fmt: skip
    left.plot(*_curve(table, "flow", "shuffled"), "^", color=style.RED,
              label="action of another window")  # fmt: skip
    left.set(xlabel="signal level τ of the last frame", ylabel="flow error (variance)")
    left.set_yscale("log")
    left.legend(fontsize=8)
    steps, values = _curve(table, "bootstrap", "plain")
    right.plot(steps, values, color=style.GREY, linestyle="--", label="the finest step's")
    right.plot(*_curve(table, "bootstrap", "bootstrap"), color=style.BLUE, marker="o",
               label="prediction")  # fmt: skip
    right.legend(fontsize=8)
    right.set_xscale("log", base=2)
    right.set_xticks(steps, [f"{step:g}" for step in steps])
    right.minorticks_off()
    right.set(xlabel="step d", ylabel="bootstrap error (variance)", ylim=(0, None))
    style.save(figure, svg)


def free(table, svg):
    """How far free runs drift from what real films look like."""
    part = table[table["panel"] == "drift"]
    if not len(part):
        return style.sentence(svg, "The policy is not trained yet, so nothing was imagined freely.")
    figure, axis = PLT.subplots(figsize=(7, 3))
    axis.axhspan(-2, 2, color=style.GREY, alpha=0.12, linewidth=0)
    for name, colour in NAMES.items():
        axis.plot(*_curve(table, "drift", name), color=colour, marker="o", label=name)
    axis.axhline(0, **style.CHANCE)
    axis.set(xlabel="imagined frames", ylabel="off the real mean\n(standard deviations)")
    figure.legend(loc="outside right center", fontsize=8)
    style.save(figure, svg)


def heads(table, svg):
    """Expected beside received reward, in bins of equal size."""
    x, values = _curve(table, "calibration", "reward")
    if not len(x):
        return style.sentence(svg, "The heads are not trained yet, so no reward was expected.")
    figure, axis = PLT.subplots(figsize=(3.6, 3.2))
    ends = np.array([min(x.min(), values.min()), max(x.max(), values.max())])
    axis.plot(ends, ends, **style.CHANCE)
    axis.plot(x, values, color=style.BLUE, marker="o")
    axis.set(xlabel="expected reward, mean of a bin", ylabel="received reward, mean of the bin")
    style.save(figure, svg)


def _curve(table, panel, curve):
    """x and values of a curve."""
    part = table[(table["panel"] == panel) & (table["curve"] == curve)]
    return part["x"].to_numpy(), part["value"].to_numpy()
