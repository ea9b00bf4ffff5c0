"""Some rows of a Parquet file, read from no more row groups than hold them."""

import numpy as np
import pyarrow as pa


def some(file, columns, rows):
    """Arrow table of `columns` at ascending `rows` of an open ParquetFile, one group at a time."""
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    parts = [file.schema_arrow.empty_table().select(columns)]
    for group, (size, end) in enumerate(zip(sizes, np.cumsum(sizes), strict=True)):
        own = rows[slice(*np.searchsorted(rows, (end - size, end)))] - (end - size)
        if len(own):
            parts.append(file.read_row_group(group, columns=columns).take(own))
    return pa.concat_tables(parts)
