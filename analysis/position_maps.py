"""Maps of what decoders say: probability over the world, and errors tile by tile.

In the shapes, W x H is the world in tiles.
"""

import numpy as np
from matplotlib.colors import PowerNorm

from analysis import ground_map, method_looks, style

PLT = style.plt
DARK = 0.01  # probability below which a tile does not widen the view


def draw_probmap(found, names, area, svg):
    """Mean decoded probability over the world while the agent stands on each of a few tiles.

    One row per representation of `names`; the last one also from the untrained network.
    """
    wanted = [(name, "details", "") for name in names]
    wanted += [(name, "untrained", ", untrained network") for name in names[-1:]]
    rows = [
        (f"{name}{words}\n{method}", maps)
        for name, key, words in wanted
        for method, maps in found.get(key, {}).get(name, {}).get("probmaps", {}).items()
    ]
    if not rows:
        return style.sentence(svg, "No classifier was fitted, so there are no probabilities.")
    columns = max(len(maps) for _, maps in rows)
    size = (2.6 * columns + 1.2, 2.7 * len(rows) + 0.5)
    figure, axes = PLT.subplots(len(rows), columns, figsize=size, squeeze=False)
    top = max((max(item["p"], default=0.0) for _, maps in rows for item in maps), default=1.0)
    around = np.concatenate([likely(item) for _, maps in rows for item in maps])
    for line, (label, maps) in zip(axes, rows, strict=True):
        for axis, item in zip(line, maps, strict=False):
            image = spot(axis, item, area, top or 1)
            ground_map.zoom(axis, around, area)
        for axis in line[len(maps) :]:
            axis.set_axis_off()
        line[0].set_ylabel(f"{label}\ny (tiles)")
    figure.colorbar(image, ax=axes, label="mean decoded probability", shrink=1 / len(rows))
    figure.suptitle("red square: where the agent is", fontsize=10)
    style.save(figure, svg)


def likely(item):
    """Tiles [N, 2] that a map of probability is about: the true one, and where it is not dark."""
    bright = np.asarray(item["p"]) > DARK
    places = np.stack([item["x"], item["y"]], 1)[bright].reshape(-1, 2)
    return np.concatenate([places, [item["tile"]]])


def spot(axis, item, area, top):
    """One map of probability and the tile that it belongs to."""
    grid = np.zeros(area)
    grid[item["x"], item["y"]] = item["p"]
    image = axis.imshow(grid.T, norm=PowerNorm(0.5, 0, top))
    square = {"marker": "s", "markersize": 7, "fillstyle": "none", "color": style.RED}
    axis.plot(*item["tile"], clip_on=False, **square)
    style.map_axes(axis, area)
    axis.set_title(f"at ({item['tile'][0]}, {item['tile'][1]}), {item['steps']} steps", fontsize=9)
    return image


def draw_classification(table, area, svg):
    """Decoded against true x and y, and the mean error of each true tile on the map.

    One row per method and network, from the step table of one representation.
    """
    parts = method_looks.networks(table)
    size = (10.2, 3.1 * len(parts) + 0.4)
    figure, axes = PLT.subplots(len(parts), 3, figsize=size, squeeze=False)
    top = table.groupby(["method", "network", "true_x", "true_y"])["error"].mean().quantile(0.95)
    for line, ((method, network), part) in zip(axes, parts, strict=True):
        for axis, name, side in zip(line, "xy", area, strict=False):
            joint(axis, part[f"true_{name}"], part[name], side)
            axis.set(xlabel=f"true {name} (tiles)", ylabel=f"decoded {name} (tiles)")
        line[0].set_ylabel(f"{method_looks.label(method, network)}\ndecoded x (tiles)")
        image = error_map(line[2], part, area, top)
        figure.colorbar(image, ax=line[2], label="mean error (tiles)", shrink=0.9)
    figure.suptitle(f"{table['representation'].iloc[0]}, held-out steps", fontsize=10)
    style.save(figure, svg)


def joint(axis, truth, guess, side):
    """Share of the steps at each true coordinate that were decoded as each; a perfect code lies
    on the dashed diagonal."""
    inside = np.clip(np.rint(guess), 0, side - 1).astype(int)
    counts = np.zeros((side, side))
    np.add.at(counts, (truth.to_numpy(int), inside.to_numpy(int)), 1)
    total = counts.sum(1, keepdims=True)
    shares = np.divide(counts, total, where=total > 0, out=np.full_like(counts, np.nan))
    axis.imshow(shares.T, origin="lower", vmin=0, vmax=1, aspect="equal")
    axis.plot([0, side - 1], [0, side - 1], **style.CHANCE)
    used = np.concatenate([truth.to_numpy(int), inside])
    ends = (used.min() - 1.5, used.max() + 1.5)
    axis.set(xlim=ends, ylim=ends)
    axis.locator_params(integer=True)


def error_map(axis, part, area, top):
    """Mean Euclidean error of the steps on each true tile."""
    spots = part.groupby(["true_x", "true_y"])["error"].mean()
    grid = np.full(area, np.nan)
    grid[tuple(np.array(spots.index.tolist()).T)] = spots.to_numpy()
    image = axis.imshow(grid.T, vmin=0, vmax=top or 1)
    style.map_axes(axis, area)
    ground_map.zoom(axis, np.array(spots.index.tolist()), area)
    return image
