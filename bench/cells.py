"""Does each preset of cell classes recover planted units? `python -m bench.cells`

Prints, for an arena and for Crafter's ground of 32 x 32 tiles, how the units of each planted kind
are classified by both presets, the share recovered at lower strengths of tuning, the explained
variance of noise, and false positives of the null. The last line is JSON.
"""

import argparse
import json
import tempfile
from pathlib import Path

import pandas as pd

from analysis import cell_rules, tuning
from tests import planted

OPTIONS = {
    "min_occupancy": 5, "transform": "minshift", "active_eps": 1e-6, "min_active": 200,
    "layers": [], "max_units": 0, "folds": 5, "n_null": 0, "null_method": "swaps", "seed": 0,
    "hd": True, "test": False, "min_bbox": 0,
}  # fmt: skip
CLASSES = {
    "spatial_gain": 0.05, "facing_gain": 0.1, "border_share": 0.6, "ev_place": 0.3, "cover": 0.25,
    "SI_thresh": 0.5, "EV_thresh": 0.5, "EV_unthresh": 0.15, "HD_thresh": 0.5, "border_thresh": 0.0,
    "border_symmetry": 3.0, "place_symmetry": 3.0,
}  # fmt: skip
RECORDINGS = 8  # of noise, for each of --seeds
STRENGTHS = (0.6, 0.65, 0.7, 0.75, 0.8)


def table(world, seed, per_kind, strength=planted.STRENGTH, kinds=planted.KINDS, n_null=0):
    """One row per planted unit: its kind, every metric, its class by both presets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "planted.parquet"
        terrain = planted.WORLDS[world](seed)
        names = planted.record(path, terrain, seed, per_kind, strength, kinds)
        tables, *_ = tuning.measure({"trained": [path]}, OPTIONS | {"n_null": n_null})
    found = pd.DataFrame(tables["trained", "dyn/deter"]).assign(kind=names, seed=seed, world=world)
    metrics = {name: found[name].to_numpy() for name in found} | {"faced": True}
    for preset in cell_rules.PRESETS:
        found[preset] = cell_rules.classify(metrics, {**CLASSES, "preset": preset})
    return found


def recovered(found, preset):
    """Share of the units of each kind that a preset calls by their class."""
    return (found[preset] == found["kind"].map(planted.KINDS)).groupby(found["kind"]).mean()


def confusion(found, preset):
    """Kinds x classes in percent, in the order of the definitions."""
    counts = pd.crosstab(found["kind"], found[preset], normalize="index") * 100
    columns = [name for name in cell_rules.CLASSES if name in counts]
    return counts.loc[[kind for kind in planted.KINDS if kind in counts.index], columns].round(0)


def main():
    """Print all tables; the options make it smaller."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--per-kind", type=int, default=20, help="units of each kind per seed")
    parser.add_argument("--draws", type=int, default=19, help="swaps for the false positives")
    chosen = parser.parse_args()
    worst, noise = {}, {}
    for world in planted.WORLDS:
        seeds = range(chosen.seeds)
        found = pd.concat([table(world, seed, chosen.per_kind) for seed in seeds])
        for preset in cell_rules.PRESETS:
            print(f"\n{world}, preset {preset}: percent of the units of each kind\n")
            print(show(confusion(found, preset).astype(int).replace(0, "")))
        worst[world] = float(recovered(found, "default").min())
        values = found[found["kind"].isin(planted.NOISE)].groupby("kind")["ev_place"]
        noise[world] = {kind: round(value, 4) for kind, value in values.mean().items()}
        curve(world, chosen)
    wrong = false_positives(chosen)
    print(json.dumps({"worst_recovery": worst, "noise_ev": noise, "false_positives": wrong}))


def curve(world, chosen):
    """Print the share recovered at each strength of tuning."""
    kinds = [kind for kind in planted.KINDS if kind not in (*planted.NOISE, "dead")]
    columns = {}
    for strength in STRENGTHS:
        found = [table(world, seed, max(1, chosen.per_kind // 2), strength, kinds)
                 for seed in range(chosen.seeds)]  # fmt: skip
        columns[strength] = (recovered(pd.concat(found), "default") * 100).round(0).astype(int)
    print(f"\n{world}, preset default: percent recovered by planted strength\n")
    print(show(pd.DataFrame(columns).loc[kinds]))


def false_positives(chosen):
    """{kind of noise: {metric: share of units with p at most 0.05}} on Crafter's ground.

    Units of one recording share its swaps and its clock, so few units of many recordings count.
    """
    seeds = range(RECORDINGS * chosen.seeds)
    found = pd.concat(
        [table("Crafter", seed, max(1, chosen.per_kind // 4), kinds=planted.NOISE,
               n_null=chosen.draws) for seed in seeds]
    )  # fmt: skip
    names = ["ev_place", "spatial_gain", "facing_gain", "border_share"]
    shares = {name: (found[f"{name}_p"] <= 0.05).groupby(found["kind"]).mean() for name in names}
    result = pd.DataFrame(shares).loc[list(planted.NOISE)].round(3)
    print(f"\nfalse positives at p <= 0.05, {len(seeds)} recordings\n")
    print(show(result))
    return result.to_dict("index")


def show(frame):
    """A table in Markdown."""
    lines = [[frame.index.name or "", *frame.columns], ["---"] * (1 + len(frame.columns))]
    lines += [[name, *row] for name, *row in frame.itertuples()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
