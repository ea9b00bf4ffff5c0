"""The numbers of a pickled episode, refused by name where a recording could not hold them."""

import numpy as np

from dreamer import plain
from dreamer.columns import DTYPES
from jobs.errors import Refused


def array(where, episode, key):
    """The numeric array under `key` of the episode that lies `where`."""
    if key not in episode:
        raise Refused(
            f"{where} has no {key}, which every episode needs, or which the first one has"
        )
    try:
        return plain.array(episode[key])
    except ValueError as error:
        raise Refused(f"{where} has {key} {error}") from None


def steps(where, episode, key, dtype):
    """Activity [T, D] of a layer, whatever shape it has per step, as `dtype` can hold it."""
    values = array(where, episode, key)
    if values.ndim < 2 or not values.size:
        raise Refused(
            f"{where} has {key} of shape {list(values.shape)}, which is no layer's activity"
        )
    return fitting(where, key, values.reshape(len(values), -1), DTYPES[dtype].to_pandas_dtype())


def fitting(where, key, values, kind):
    """`values` as numbers of the numpy type `kind`, which has to hold each, rounded if floats."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refused(f"{where} has {key} with NaN or infinity; a recording holds numbers alone")
    with np.errstate(over="ignore", invalid="ignore"):
        found = values.astype(kind)
    same = np.isfinite(found) if found.dtype.kind == "f" else found == values
    if not same.all():
        raise Refused(
            f"{where} has {key} of {values.min():g} to {values.max():g}, which are not all "
            f"numbers that a recording holds there as {found.dtype}"
        )
    return found
