"""Curves of a training in long form: panel, curve, unit, step, value, smooth."""

import numpy as np
import pandas as pd

INNER = ", inner"  # ends the name of a panel whose curves say nothing of what was learned
TAIL = 0.1  # share of a curve whose mean stands for its end


def curve(panel, name, unit, steps, values, smoothing):
    """Long-form rows of one curve: value and running mean over `smoothing` of its points."""
    known = np.isfinite(np.asarray(values, float))
    values = pd.Series(np.asarray(values, float)[known])
    window = max(1, round(smoothing * len(values)))
    smooth = values.rolling(window, min_periods=1, center=True).mean()
    columns = {"panel": panel, "curve": name, "unit": unit, "step": np.asarray(steps)[known]}
    return pd.DataFrame(columns | {"value": values, "smooth": smooth})


def change(table):
    """First value, mean of the last tenth, and the relative fall between them, of one curve."""
    values = table["value"].to_numpy()
    first, last = float(values[0]), float(values[-max(1, round(TAIL * len(values))) :].mean())
    return {"first": first, "last": last, "fall": (first - last) / abs(first) if first else None}
