"""The report's tables: numbers beside chance and control, and which of them do not beat these."""

import re

import pandas as pd

from analysis import rows as numbers

SIDES = {
    "chance": "chance",
    "control": f"the {numbers.UNTRAINED}",
    "p": f"null draws at p ≤ {numbers.LEVEL:g}",
}
ALONE = "None of these numbers has a chance level or a control beside it: they prove nothing."
# Belief layers of all families; what is between the layers of a transformer is none.
BELIEF = r"dyn/(?!L\d+/).*|agent/h|combined|"
BLANK = ("layer", "representation", "chance", "chance_name", "control", "control_name", "p")


def picked(rows, item, controls):
    """The rows that a section of the report shows; `controls` name what is decoded for comparison.

    `item` may hold `rows` ("belief", "layers" or "controls") and `scores`.
    """
    keep = {
        "belief": lambda name: bool(re.fullmatch(BELIEF, name)),
        "layers": lambda name: name not in controls,
        "controls": lambda name: name in controls,
    }.get(item.get("rows"), lambda name: True)
    scores = item.get("scores")
    return [
        row for row in rows if keep(row["layer"] or "") and (not scores or row["score"] in scores)
    ]


def tables(rows):
    """Rows with a layer become layers x scores; the others stay a list."""
    plain = [cell(row) for row in rows if row.get("layer") is None]
    layered = [row for row in rows if row.get("layer") is not None]
    scores = list(dict.fromkeys((row["score"], row["unit"]) for row in layered))
    lines = {}
    for row in layered:
        line = lines.setdefault((row["layer"], row.get("representation")), {})
        line[(row["score"], row["unit"])] = cell(row)
    grid = [
        {"layer": layer, "representation": kind or "", "cells": [line.get(key) for key in scores]}
        for (layer, kind), line in lines.items()
    ]
    units = {unit or "" for _, unit in scores}
    shared = units.pop() if len(units) == 1 else ""
    names = [f"{score} ({unit})" if unit and not shared else score for score, unit in scores]
    chances = sorted(
        {found["chance_name"] for line in grid for found in line["cells"] if found} - {""}
    )
    return {"plain": plain, "scores": names, "grid": grid, "chances": chances, "unit": shared}


def cell(row):
    """A row with every field, and `lost`: what of SIDES its value does not beat, or None."""
    row = {**dict.fromkeys(BLANK), **row}
    row |= {"chance_name": row["chance_name"] or "", "unit": row["unit"] or ""}
    return {**row, "lost": numbers.verdict(row)}


def lost(rows):
    """[{words, which}]: how many numbers do not beat chance, control or null, and which."""
    cells = [cell(row) for row in rows]
    if cells and all(item["lost"] is None for item in cells):
        return [{"words": ALONE, "which": []}]
    told = []
    for side, words in SIDES.items():
        known = [item for item in cells if item["lost"] is not None and item[side] is not None]
        which = [item for item in known if side in item["lost"]]
        if which:
            count = f"{len(which)} of {len(known)} numbers"
            told.append({"words": f"{count} are no better than {words}.", "which": _which(which)})
    return told


def across(path):
    """Rows of a table over seeds, None for what is missing, with `lost` where it has a mean."""
    table = pd.read_parquet(path).astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    return [{**row, "lost": _over_seeds(row)} for row in rows]


def number(value):
    """Three significant digits without exponent where that is readable; a dash for nothing."""
    if value is None or value != value:
        return "–"
    if isinstance(value, str):
        return value
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _over_seeds(row):
    """Which of chance and control the mean, or the worse end of its interval, does not beat."""
    if "says" in row:
        return []
    worse = row["high"] if row["better"] == "low" else row["low"]
    value = row["mean"] if worse is None else worse
    return numbers.verdict({**dict.fromkeys(BLANK), **row, "value": value, "p": None}) or []


def _which(cells):
    found = {}
    for item in cells:
        place = " ".join(filter(None, (item["layer"], f"({item['representation']})")))
        place = place if item["representation"] else item["layer"] or ""
        found.setdefault(item["score"], []).append(place)
    return [
        {"score": score, "places": ", ".join(filter(None, places))}
        for score, places in found.items()
    ]
