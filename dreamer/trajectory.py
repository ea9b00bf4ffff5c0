"""The Parquet contract between the agents and the analyses: recordings, dreams, and data sets.

A recording has one row per step and one row group per episode. A row is the observation, where the
agent was, the reward that came with the observation, the activations computed **from** it, and the
action chosen **after** it. Each recorded layer is one fixed-size-list column named like the layer.
A data set, from which agents learn offline, is the same without layers.

In the shapes, T is steps, W x H the world in tiles (x first; y grows downward).
"""

import json
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dreamer import columns as kinds
from dreamer import row_groups
from dreamer.columns import DTYPES, FACINGS, KINDS, POSITION, STEP, VITALS, telling  # noqa: F401
from dreamer.parquet import Parquet
from jobs import files
from jobs.errors import Refused

VERSION = 1
KEY = b"dream_atlas"
STORED = {"compression": "zstd", "write_page_checksum": True}


def schema(header):
    """Arrow schema for a header: {kind, layers: {name: {width, dtype, ...}}, achievements, ...}.

    `layers[name]["width"]` is the number of recorded units. Columns named in `header["absent"]`
    are left out (what the source does not know: facing, terrain, ...).
    """
    absent = set(header.get("absent", ()))
    fields = [
        pa.field(name, kind, metadata=notes)
        for name, (kind, notes) in kinds.of(header).items()
        if name not in absent
    ]
    fields += [
        pa.field(f"achievement_{name}", pa.int16(), metadata={"unit": "times unlocked so far"})
        for name in header.get("achievements", ())
    ]
    fields += [
        pa.field(name, pa.list_(DTYPES[layer["dtype"]], layer["width"]))
        for name, layer in header["layers"].items()
    ]
    text = files.canonical({"version": VERSION, **header})
    return pa.schema(fields, metadata={KEY: text.encode()})


def table(header, columns):
    """Arrow table from {column: values}; layers are arrays [T, width]."""
    wanted, arrays = schema(header), []
    for field in wanted:
        values = columns[field.name]
        if pa.types.is_fixed_size_list(field.type):
            width = field.type.list_size
            flat = np.ascontiguousarray(values, field.type.value_type.to_pandas_dtype()).reshape(-1)
            if len(flat) != width * len(values):
                raise ValueError(f"{field.name} is {np.shape(values)}, not [T, {width}]")
            arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), width))
        else:
            arrays.append(pa.array(values).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=wanted)


def write(path, header, episodes):
    """Write an iterable of {column: values}, one row group each, in one atomic step.

    Only one episode is in memory at a time.
    """
    with _writer(path, header) as writer:
        for columns in episodes:
            writer.write_table(table(header, columns), row_group_size=1 << 30)


def join(path, header, parts):
    """Put finished part files (written by `write`) together in the given order, atomically."""
    with _writer(path, header) as writer:
        for part in parts:
            for group in _groups(open_file(part, header["kind"])):
                writer.write_table(group, row_group_size=1 << 30)


def write_log(path, kind, header, columns):
    """Write a training log (`metrics`, `episodes`): {column: [T]} with any columns, atomically."""
    text = files.canonical({"version": VERSION, "kind": kind, **header})
    found = pa.table(columns).replace_schema_metadata({KEY: text.encode()})
    with files.atomic(path) as temporary:
        pq.write_table(found, temporary, **STORED)


def read_log(path, kind):
    """(header, pandas DataFrame) of a training log."""
    file = open_file(path, kind)
    found = _table(file, file.schema_arrow.names)
    return json.loads(file.schema_arrow.metadata[KEY]), found.to_pandas()


def open_file(path, kind="trajectory"):
    """A ParquetFile whose header says it is a `kind` of this version; else refuse."""
    files.need(path, "run the step that makes it first")
    file = Parquet(path)
    text = (file.schema_arrow.metadata or {}).get(KEY)
    if text is None:
        raise Refused(f"{path} was not written by this project: its header lacks '{KEY.decode()}'")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Refused(f"{path} is damaged ({error}); make it again") from None
    if found.get("kind") != kind or found.get("version") != VERSION:
        raise Refused(
            f"{path} is '{found.get('kind')}' of version {found.get('version')}, "
            f"but '{kind}' of version {VERSION} is needed; make it again"
        )
    return file


def header(path, kind="trajectory"):
    """The header: layers (in column order), options, world, provenance."""
    arrow = open_file(path, kind).schema_arrow
    found = json.loads(arrow.metadata[KEY])
    found["layers"] = {
        name: found["layers"][name] for name in arrow.names if name in found["layers"]
    }
    return found


def layers(path, kind="trajectory"):
    """Names of the recorded layers in order."""
    return list(header(path, kind)["layers"])


def has(path, *columns, kind="trajectory"):
    """Whether a file has all of these columns."""
    return set(columns) <= set(open_file(path, kind).schema_arrow.names)


def read(path, columns, kind="trajectory", rows=None):
    """{column: numpy array}; layers [T, units] float32, text columns as str arrays.

    Reading one layer reads that column alone; `rows` (ascending) reads only the episodes that hold
    them. The terrain is read by `terrain`.
    """
    file = open_file(path, kind)
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise Refused(f"{path} has no column {', '.join(missing)}")
    found = _table(file, columns, rows)
    return {name: _numpy(found[name]) for name in columns}


def terrain(path):
    """{episode: (material ids [W, H] at reset, changed [W, H] bool)}."""
    width, height = header(path)["area"]
    names = ["episode", "is_first", "terrain", "terrain_changed"]
    found = _table(open_file(path), names)
    first = found.filter(found["is_first"]).to_pydict()
    grids = zip(first["terrain"], first["terrain_changed"], strict=True)
    return {
        episode: tuple(np.array(grid, np.uint8).reshape(width, height) for grid in pair)
        for episode, pair in zip(first["episode"], grids, strict=True)
    }


def _table(file, columns, rows=None):
    """Columns of an open file, of all rows or of the episodes that hold some."""
    if rows is None:
        return file.read(columns=list(columns))
    return row_groups.some(file, list(columns), rows)


@contextmanager
def _writer(path, header):
    with (
        files.atomic(path) as temporary,
        pq.ParquetWriter(temporary, schema(header), **STORED) as writer,
    ):
        yield writer


def _groups(file):
    return (file.read_row_group(index) for index in range(file.num_row_groups))


def _numpy(column):
    if pa.types.is_fixed_size_list(column.type):
        chunks = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
        return np.concatenate(chunks).reshape(-1, column.type.list_size).astype(np.float32)
    return column.to_numpy()
