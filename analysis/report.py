"""What did the study find? One self-contained page that puts every figure and number in words."""

import base64
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from analysis import report_words
from jobs import cli, files

DATA = ("report.html.j2", "sections.yaml", "../rules/captions/*.rst")
HERE = Path(__file__).parent
CAPTIONS = HERE.parent / "rules" / "captions"
MISSING = "not yet computed"
MIME = {".svg": "image/svg+xml", ".png": "image/png"}
LARGE = 400_000  # bytes above which a vector figure is shown as PNG, to keep the page light


NOTHING = {
    "warning": None,
    "figures": [],
    "tables": {"plain": [], "grid": []},
    "notes": [
        "Not available for imported recordings: this needs the agent itself, or its training."
    ],
    "not_yet": [],
}


def chapter(folder):
    """Everything the page says about one run and seed: words, sections, provenance."""
    info, told = folder / "run_info.json", report_words.told(folder)
    stages = files.read_json(info) if info.is_file() else {}
    alone = "import_trajectories" in stages
    return {
        "name": f"{folder.parent.name}, seed {folder.name.removeprefix('seed')}",
        "anchor": f"{folder.parent.name}-{folder.name}",
        "run": folder.parent.name,
        "words": report_words.run(folder),
        "told": told,
        "sections": [
            {**item, **NOTHING}
            if alone and item["key"] not in stages
            else section(folder, item, told)
            for item in yaml.safe_load(_text("sections.yaml"))
        ],
        "stages": stages,
    }


def section(folder, item, told=None):
    """One question: its figures with captions, its numbers with chance, what is still missing."""
    path = folder / f"{item['key']}.json"
    found = files.read_json(path) if path.is_file() else {"not_yet": [f"{item['title']} {MISSING}"]}
    return {
        **item,
        "figures": [figure(folder / "figures", name) for name in item["figures"]],
        "tables": tables(found.get("summary", [])),
        "warning": told,
        "notes": found.get("notes", []),
        "not_yet": found.get("not_yet", []),
    }


def figure(folder, name):
    """A figure as a data address (vector where it is small), its title and its caption."""
    caption = CAPTIONS / f"{name}.rst"
    words = " ".join(caption.read_text().split()) if caption.is_file() else ""
    found = [
        folder / f"{name}{suffix}" for suffix in MIME if (folder / f"{name}{suffix}").is_file()
    ]
    if not found:
        return {"name": name, "source": None, "caption": words}
    path = found[0] if found[0].stat().st_size < LARGE else found[-1]
    content = base64.b64encode(path.read_bytes()).decode()
    return {"name": name, "source": f"data:{MIME[path.suffix]};base64,{content}", "caption": words}


def tables(rows):
    """Rows with a layer become layers x scores; the others stay a list."""
    plain = [_cell(row) for row in rows if row.get("layer") is None]
    layered = [row for row in rows if row.get("layer") is not None]
    scores = list(dict.fromkeys((row["score"], row["unit"]) for row in layered))
    lines = {}
    for row in layered:
        line = lines.setdefault((row["layer"], row.get("representation")), {})
        line[(row["score"], row["unit"])] = _cell(row)
    grid = [
        {"layer": layer, "representation": kind or "", "cells": [line.get(key) for key in scores]}
        for (layer, kind), line in lines.items()
    ]
    names = [f"{score} ({unit})" if unit else score for score, unit in scores]
    chances = sorted(
        {cell["chance_name"] for line in grid for cell in line["cells"] if cell} - {""}
    )
    return {"plain": plain, "scores": names, "grid": grid, "chances": chances}


def main(spec: Path, folders: list[Path], intervals_csv: Path, report: Path):
    """Write the report of all runs and seeds as one HTML file without outside references."""
    options = cli.options(spec)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["number"] = number
    chapters = [chapter(folder) for folder in folders]
    page = environment.from_string(_text("report.html.j2")).render(
        title=options["title"],
        chapters=chapters,
        seeds=_intervals(intervals_csv),
        told=[item["run"] for item in chapters if item["told"]],
        missing=MISSING,
    )
    with files.atomic(report) as temporary:
        temporary.write_text(page)


def number(value):
    """Three significant digits without exponent where that is readable; a dash for nothing."""
    if value is None or value != value:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def beats(row):
    """Whether a value is better than its chance level; None where there is no chance level."""
    value, chance = row.get("value"), row.get("chance")
    if value is None or chance is None:
        return None
    return value < chance if row["better"] == "low" else value > chance


def _cell(row):
    blank = dict.fromkeys(("layer", "representation", "chance", "chance_name", "control", "unit"))
    row = {**blank, **row, "chance_name": row.get("chance_name") or "", "unit": row["unit"] or ""}
    return {**row, "beats": beats(row)}


def _intervals(path):
    table = pd.read_csv(path).astype(object)
    return table.where(table.notna(), None).to_dict("records")


def _text(name):
    return (HERE / name).read_text()


if __name__ == "__main__":
    cli.run(main)
