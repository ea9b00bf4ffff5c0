"""Where dreams start: recorded rows with enough real future behind them, and what those rows hold.

S is starts, H imagined steps; a row is counted from the beginning of the recording.
"""

import numpy as np
import pyarrow as pa

from dreamer import trajectory


def draw(path, count, horizon, seed):
    """Up to `count` rows [S], drawn evenly over all rows with `horizon` rows left, in random order.

    A recording with fewer such rows gives them all; where no episode is longer than that, none.
    """
    episode = trajectory.read(path, ["episode"])["episode"]
    later = episode[horizon:]
    rows = np.flatnonzero(later == episode[: len(later)])
    return np.random.default_rng(seed).permutation(rows)[:count]


def future(path, rows, horizon):
    """Real x, y and action at h = 0..horizon of each start [S, H + 1], with episode and step."""
    names = [name for name in ("episode", "step", "x", "y", "action") if trajectory.has(path, name)]
    read = trajectory.read(path, names)
    ahead = rows[:, None] + np.arange(horizon + 1)
    return {name: values[ahead] for name, values in read.items()}


def take(path, columns, rows):
    """{column: values} at `rows` (rising); reads only the row groups that hold them, one by one.

    Layers come as arrays [S, units] in the recorded dtype, other columns as lists.
    """
    file, parts = trajectory.open_file(path), []
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    ends = np.cumsum(sizes)
    groups = np.searchsorted(ends, rows, side="right")
    for group in np.unique(groups):
        inside = rows[groups == group] - (ends[group] - sizes[group])
        parts.append(file.read_row_group(group, columns=list(columns)).take(inside))
    found = pa.concat_tables(parts).combine_chunks()
    return {name: _values(found[name].combine_chunks()) for name in columns}


def _values(column):
    if pa.types.is_fixed_size_list(column.type):
        return column.flatten().to_numpy().reshape(len(column), column.type.list_size)
    return column.to_pylist()
