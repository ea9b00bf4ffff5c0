"""Whatever a study lacks, every figure is drawn or says in a sentence why it is empty."""

from pathlib import Path

import numpy as np
import pytest

from analysis import (
    behavior,
    classes,
    compare,
    dreams,
    plot_behavior,
    plot_compare,
    plot_dreams,
    plot_layers,
    plot_position,
    plot_training,
    plot_tuning,
    position,
    style,
    summary,
    training,
    tuning,
)
from jobs import cli
from tests import synthetic, test_classes, test_position, test_training_analysis, test_tuning

OPTIONS = {
    "position": test_position.OPTIONS | {"n_null": 2, "folds": 2, "controls": ["clock"]},
    "tuning": test_tuning.OPTIONS | {"n_null": 2, "min_active": 5, "min_occupancy": 2},
    "classes": test_classes.OPTIONS,
    "dreams": {"methods": ["ridge", "robust"], "jump": 2.0, "examples": 1, "seed": 0},
    "behavior": {"walks": 3, "seed": 0},
    "plot": {"seed": 0, "step_ms": 200},
    "training": test_training_analysis.OPTIONS,
    "compare": {"bootstrap_draws": 100, "bootstrap_seed": 0},
}
HORIZON = 3


def spec(folder, name):
    """A spec whose file exists; its options come from OPTIONS."""
    (folder / "specs").mkdir(exist_ok=True)
    return synthetic.spec(folder / "specs" / f"{name}.json", name, {})


def dead(item, _):
    return np.full((len(item.x), 3), 0.5)


def broken(item, _):
    return np.full((len(item.x), 3), np.nan)


def belief(deter, stoch):
    return {"dyn/deter": deter, "dyn/stoch": stoch}


GOOD = belief(synthetic.one_hot, synthetic.place_fields(6))
CASES = {
    "one short episode": {"episodes": 1, "steps": 8},
    "one layer": {"layers": {"dyn/deter": synthetic.place_fields(4)}},
    "no border visited": {"area": (40, 40), "steps": 10},
    "all units dead": {"layers": belief(dead, dead)},
    "NaN activity": {"layers": belief(broken, broken)},
    "NaN in one layer": {"layers": belief(broken, synthetic.one_hot)},
    "no facing, no terrain, no training logs": {
        "absent": ["facing", "terrain", "terrain_changed"],
        "trained": {"episodes": 0, "rows": 0},
    },
}


def study(folder, trained=None, **changed):
    """Run every analysis on a small recording; the paths of what they write by name."""
    recording = folder / "trajectory.parquet"
    settings = {"episodes": 3, "steps": 24, "area": (5, 5), "layers": GOOD} | changed
    synthetic.recording(recording, **settings)
    kinds = {
        "json": ["position", "tuning", "cell_classes", "dreams", "behavior", "training"],
        "parquet": ["steps", "tuning_table", "null", "cells", "dreamt", "dreams_steps",
                    "dreams_maps", "curves", "metrics", "episodes", "summary", "everything",
                    "intervals", "differences", "learning"],
    }  # fmt: skip
    at = {name: folder / f"{name}.{kind}" for kind, names in kinds.items() for name in names}
    at |= {
        "recording": recording,
        "maps": folder / "maps.npz",
        "decoders": folder / "d.safetensors",
    }
    position.main(
        spec(folder, "position"), recording, recording, at["position"], at["steps"], at["decoders"],
                  folder / "work")  # fmt: skip
    tuning.main("tuning", recording, at["tuning_table"], at["null"], at["maps"], at["tuning"])
    classes.main("classes", at["tuning_table"], at["null"], at["cells"], at["cell_classes"])
    starts = np.arange(1, settings["steps"] - HORIZON, 4)
    synthetic.dreams(at["dreamt"], recording, HORIZON, starts, list(settings["layers"]))
    tables = [at[name] for name in ("dreams", "dreams_steps", "dreams_maps")]
    dreams.main("dreams", at["dreamt"], recording, at["decoders"], *tables)
    behavior.main("behavior", recording, at["behavior"])
    test_training_analysis.logs(folder, ["crafter"], **(trained or {"episodes": 5, "rows": 5}))
    training.main("training", at["metrics"], at["episodes"], at["training"], at["curves"])
    over_seeds(folder, at)
    return at


def over_seeds(folder, at):
    """The tables over seeds of a study with one run and one seed."""
    seed = folder / "results" / "run" / "seed0"
    seed.mkdir(parents=True)
    for name in ("position", "tuning", "cell_classes", "dreams", "behavior", "training"):
        (seed / f"{name}.json").write_bytes(at[name].read_bytes())
    (seed / "training_curves.parquet").write_bytes(at["curves"].read_bytes())
    summary.main("summary", sorted(seed.glob("*.json")), at["summary"], folder / "summary.csv")
    pairs = [at["everything"], folder / "e.csv", at["intervals"], folder / "i.csv"]
    pairs += [at["differences"], folder / "d.csv", at["learning"]]
    compare.main("compare", [at["summary"]], *pairs, [seed / "training_curves.parquet"])


def draw(at, folder):
    """Call every plot command; the paths of all figures."""

    def new(*names):
        return [folder / f"{name}.svg" for name in names]

    made = {
        plot_position: (
            [at["position"], at["steps"], at["recording"], at["recording"]],
            new("decoded_path", "over_time", "probmap", "occupancy", "classification"),
        ),
        plot_layers: ([at["position"]], new("layer_comparison")),
        plot_tuning: (
            [at["tuning_table"], at["maps"], at["cells"]],
            new("examples", "scatter", "layer_summary", "cell_types"),
        ),
        plot_dreams: (
            [at["dreams"], at["dreams_steps"], at["dreams_maps"], at["dreamt"], at["recording"],
             folder / "video.gif"],
            new("errors", "world", "coherence", "strip", "policy", "forced"),
        ),
        plot_training: (
            [at["curves"], at["training"]], new("learning", "losses", "achievements", "all"),
        ),
        plot_compare: (
            [at["everything"], at["intervals"], at["learning"]],
            new("decoding_seeds", "tuning_seeds", "learning_seeds"),
        ),
    }  # fmt: skip
    for command, (tables, figures) in made.items():
        command.main("plot", *tables, *figures)
    walks = new(*plot_behavior.FIGURES)
    plot_behavior.main("plot", at["recording"], folder / "captions.json", walks)
    return walks + [path for _, figures in made.values() for path in figures]


def empty(figure):
    """Whether a figure has neither a panel with finite data nor a sentence."""
    drawn = [axis for axis in figure.axes if axis.has_data()]
    finite = any(np.isfinite(axis.dataLim.get_points()).all() for axis in drawn)
    return not finite and not any(axis.texts for axis in figure.axes)


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn_or_says_why_not(case, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(cli, "options", lambda path: OPTIONS.get(Path(path).stem, {}))

    def drawn_once(figure, svg):
        figure.set_layout_engine("none")  # the other tests of figures write files, at some cost
        figure.draw_without_rendering()
        drawn[svg] = not empty(figure)
        style.plt.close(figure)

    monkeypatch.setattr(style, "save", drawn_once)
    figures = draw(study(tmp_path, **CASES[case]), tmp_path)
    assert drawn == dict.fromkeys(figures, True)
