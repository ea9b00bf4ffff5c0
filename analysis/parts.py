"""Representations that are finished, kept in a job's work folder until all of them are.

A killed job finds them there and goes on with the next. In the shapes, Q is test steps.
"""

import json

import numpy as np

from analysis import decoders
from jobs import files


def finished(folder, name, compute):
    """(columns {method: {name: [Q]}}, {method: Decoder}, details) of one representation.

    Taken from `folder` if it is there, else from `compute()` and then kept; None if that is None.
    """
    stem = folder / name.replace("/", "-")
    if not stem.with_suffix(".json").is_file():
        result = compute()
        if result is None:
            return None
        _save(stem, name, *result)
    return _load(stem, name)


def _save(stem, name, columns, fitted, details):
    """The details come last: their file says that the others are whole."""
    decoders.save(stem.with_suffix(".safetensors"), {name: fitted}, {})
    flat = {
        f"{method}|{key}": columns[method][key] for method in columns for key in columns[method]
    }
    with files.atomic(stem.with_suffix(".npz")) as temporary:
        np.savez(temporary, **flat)
    files.write_json(stem.with_suffix(".json"), details)


def _load(stem, name):
    columns = {}
    with np.load(stem.with_suffix(".npz")) as arrays:
        for flat in arrays.files:
            method, key = flat.split("|")
            columns.setdefault(method, {})[key] = arrays[flat]
    fitted = decoders.load(stem.with_suffix(".safetensors"))[1][name]
    return columns, fitted, json.loads(stem.with_suffix(".json").read_text())
