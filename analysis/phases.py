"""Did each phase of an agent that learns from data learn? Losses and metrics, also held out."""

from pathlib import Path

import pandas as pd

from analysis import curves as curve
from analysis.rows import row
from dreamer import trajectory
from jobs import cli, files

LOSS, HELD_OUT = "loss/", "test/"
INNER = ("opt/", "scaled/", f"{LOSS}total")  # say nothing of what was learned
FREE = ("imagination",)  # phases whose losses need not fall: their targets move with the policy
COLUMNS = ("panel", "curve", "unit", "step", "value", "smooth")


def phase(log, name, options):
    """Long-form curves of one phase, a table with `updates` and one column per metric."""
    wanted = [item for item in log if item not in ("step", "updates")]
    if not options["losses"]:
        wanted = [item for item in wanted if LOSS not in item and not item.startswith(INNER)]
    parts = [
        curve.curve(f"{name}{curve.INNER}" if item.startswith(INNER) else name, item, unit(item),
                    log["updates"], log[item], options["smoothing"])
        for item in wanted
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def unit(name):
    """In what a metric is counted, as far as its name says."""
    name = name.removeprefix(HELD_OUT)
    known = {f"{LOSS}mse": "squared error, 0 to 1", f"{LOSS}dynamics": "weighted squared error"}
    units = {"dyn/": "squared error of latents", LOSS: "nats", "imag/": ""}
    return known.get(name) or next((words for key, words in units.items() if key in name), "")


def summary(table, name):
    """Rows of the report's table: each loss at the end of a phase, beside where it began."""
    rows = []
    for label, part in table[table["panel"] == name].groupby("curve", sort=False):
        plain, held = label.removeprefix(HELD_OUT), label.startswith(HELD_OUT)
        if not plain.startswith(LOSS):
            continue
        ends, where = curve.change(part), "held-out episodes" if held else "last tenth"
        start = () if name in FREE else (ends["first"], "first row logged")
        words = f"{name}: {plain.removeprefix(LOSS)}, {where}"
        rows.append(row(words, ends["last"], part["unit"].iloc[0], "low", *start))
    return rows


def notes(tables, options):
    """Sentences on how to read these numbers."""
    yield (
        f"Thick lines are running means over {options['smoothing']:.0%} of a curve's points, thin "
        "ones the values, dots held-out episodes. What stands as chance beside a loss is its own "
        "value at the start of the phase."
    )
    yield (
        "The losses of imagination need not fall: the policy's has no lower bound that it tends "
        "to, and the value learns from returns that the policy moves. Imagined returns say how the "
        "agent does in its own model, not in the world."
    )
    empty = [name for name, table in tables.items() if not len(table)]
    if empty:
        yield f"No metric was logged in {' and '.join(empty)}."


def main(spec: Path, metrics: list[Path], scores: Path, curves: Path):
    """Turn the logs of all phases into curves and scores; their order is that of the files."""
    options, tables, updates = cli.options(spec), {}, {}
    for path in metrics:
        header, log = trajectory.read_log(path, "metrics")
        name = header["phase"]
        tables[name] = phase(log, name, options)
        updates[name] = int(log["updates"].max()) if len(log) else 0
    whole = pd.concat(tables.values(), ignore_index=True)
    columns = {name: whole[name].to_numpy() for name in whole}
    trajectory.write_log(curves, "training_curves", {"phases": list(tables)}, columns)
    files.write_json(
        scores,
        {
            "summary": [item for name, table in tables.items() for item in summary(table, name)],
            "notes": list(notes(tables, options)),
            "not_yet": [],
            "updates": updates,
        },
    )


if __name__ == "__main__":
    cli.run(main)
