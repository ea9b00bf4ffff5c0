"""Figures of decoded dreams: error over the horizon, paths over the world, how they move."""

import numpy as np

from analysis import ground_map, style
from dreamer import trajectory as contract

PLT = style.plt
LOOKS = {
    "forced": {"color": style.BLUE, "marker": "o"},
    "policy": {"color": style.ORANGE, "marker": "D"},
    "real states": {"color": style.GREEN, "marker": "s"},
}
NAMES = {"forced": "dream, real actions", "policy": "dream, policy acts", "real states": "awake"}
FROZEN = {"color": style.BLACK, "linestyle": "-."}
EDGES = ("0", "1", "1–2", "2–3", "3–5", "5–10", "> 10")
PATHS = 4


def representation(names):
    """What is drawn where one must be chosen: the belief as a whole, else its first layer."""
    return "combined" if "combined" in names else list(names)[0]


def draw_errors(found, svg):
    """Mean error against the real future by imagined step, with floor, chance and baselines."""
    name = representation(found["details"])
    methods = found["details"][name]
    size = (4.4 * len(methods), 4.2)
    figure, axes = PLT.subplots(1, len(methods), figsize=size, sharey=True, squeeze=False)
    for axis, (method, facts) in zip(axes[0], sorted(methods.items()), strict=True):
        for variant, own in facts["variants"].items():
            axis.plot(own["mean"], label=NAMES[variant], markersize=4, **LOOKS[variant])
        levels = _levels(facts)
        chance = [value if value is not None else np.nan for value in levels["shuffled"]]
        axis.plot(chance, label=f"chance: {levels['shuffled_name']}", **style.CHANCE)
        axis.plot(levels["frozen"], label="frozen: the guess at h = 0, kept", **FROZEN)
        axis.axhline(facts["floor"], color=style.GREEN, linestyle=":", label="floor: all recorded")
        look = {"color": style.BLACK, "linestyle": ":"}
        axis.plot(found["displacement"], label="real displacement (standing still)", **look)
        axis.set(title=f"{name}, {method}", xlabel="imagined steps h")
    axes[0, 0].set_ylim(0, None)  # after all panels, which share this axis
    axes[0, 0].set_ylabel("mean Euclidean error (tiles)")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=8)
    style.save(figure, svg)


def draw_paths(table, recording, svg):
    """A few dreams over the terrain, evenly spaced among the starts, not picked by eye."""
    method = "robust" if "robust" in set(table["method"]) else "ridge"
    name = representation(dict.fromkeys(table["representation"]))
    table = table[(table["representation"] == name) & (table["method"] == method)]
    header, grids = contract.header(recording), ground_map.terrains(recording)
    starts = sorted(set(zip(table["start_episode"], table["start_step"], strict=True)))
    starts = [starts[index] for index in np.linspace(0, len(starts) - 1, PATHS).round().astype(int)]
    starts = list(dict.fromkeys(starts))
    figure, axes = PLT.subplots(1, len(starts), figsize=(3.4 * len(starts), 4.2), squeeze=False)
    for axis, start in zip(axes[0], starts, strict=True):
        here = (table["start_episode"] == start[0]) & (table["start_step"] == start[1])
        ground_map.draw(axis, header, grids.get(start[0]))
        _dream(axis, table[here], header["area"])
        axis.set_title(f"episode {start[0]}, step {start[1]}")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=4, fontsize=9)
    figure.supxlabel(f"{name}, {method}; the start is circled", fontsize=8, color=style.GREY)
    style.save(figure, svg)


def draw_coherence(found, svg):
    """How long decoded steps are, and how unsure the classifier is, beside the same awake."""
    name = representation(found["details"])
    methods = found["details"][name]
    method = "robust" if "robust" in methods else "ridge"
    figure, axes = PLT.subplots(1, 2, figsize=(8.4, 3.6))
    variants = methods[method]["variants"]
    width = 0.8 / len(variants)
    for index, (variant, facts) in enumerate(variants.items()):
        places = np.arange(len(EDGES)) + (index - (len(variants) - 1) / 2) * width
        colour = LOOKS[variant]["color"]
        axes[0].bar(places, facts["step_lengths"], width, color=colour, label=NAMES[variant])
        if facts["entropy"] is not None:
            axes[1].plot(facts["entropy"], markersize=4, **LOOKS[variant])
    axes[0].set_xticks(range(len(EDGES)), EDGES)
    axes[0].set(xlabel="decoded step length (tiles); real steps are 0 or 1", ylim=(0, 1))
    axes[0].set(ylabel="share of steps", title=f"{name}, {method}")
    axes[1].set(xlabel="imagined steps h", ylabel="entropy of the decoded tile (bits)")
    axes[1].set_ylim(0, 1.1 * axes[1].get_ylim()[1])
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    style.save(figure, svg)


def _dream(axis, table, area):
    real = table[table["variant"] == "real states"].sort_values("h")
    axis.plot(real["true_x"], real["true_y"], color=style.BLACK, linewidth=2.5, label="real path")
    axis.plot(*real[["true_x", "true_y"]].iloc[0], "o", color=style.BLACK, fillstyle="none", ms=12)
    for variant, look in LOOKS.items():
        own = table[table["variant"] == variant].sort_values("h")
        label = f"decoded: {NAMES[variant]}"
        axis.plot(own["x"], own["y"], linewidth=0.7, markersize=4, alpha=0.7, label=label, **look)
    points = table[["x", "y", "true_x", "true_y"]].to_numpy()
    ground_map.zoom(axis, points, area)


def _levels(facts):
    """The facts of the forced dreams, or of what there is, for the levels to compare with."""
    variants = facts["variants"]
    return variants.get("forced", next(iter(variants.values())))
