"""What did the study find? One self-contained page that puts every figure and number in words."""

from pathlib import Path

import jinja2
import yaml

from analysis import costs, report_figures, report_tables, report_words, seeds
from analysis.rows import DOUBT, LEVEL
from jobs import cli, files

DATA = ("report.html.j2", "sections.yaml", "../rules/captions/*.rst")
HERE = Path(__file__).parent
MISSING = "not yet computed"
ACROSS = ("decoding_seeds", "tuning_seeds", "learning_seeds")
FAMILIES = "families"


NO_CONTROL = (
    "Untrained-network control: not available, because untrained.enabled is false or there is no "
    "agent at hand whose parameters could be fresh."
)
NOTHING = {
    "warning": None,
    "lost": [],
    "figures": [],
    "tables": {"plain": [], "grid": []},
    "notes": [
        "Not available for imported recordings: this needs the agent itself, or its training."
    ],
    "not_yet": [],
}


def chapter(folder, chapters=1):
    """All the page says about one run and seed, one of `chapters`: words, sections, provenance."""
    info, told = folder / "run_info.json", report_words.told(folder)
    largest = report_figures.limit(chapters)
    stages = files.read_json(info) if info.is_file() else {}
    parts = [
        {"anchor": item["key"], "folded": {}, **item}
        for item in yaml.safe_load(_text("sections.yaml"))
        if ("only" not in item or item["only"] in stages) and item.get("unless") not in stages
    ]
    alone, control = "import_trajectories" in stages, "untrained" in stages
    return {
        "name": f"{folder.parent.name}, seed {folder.name.removeprefix('seed')}",
        "anchor": f"{folder.parent.name}-{folder.name}",
        "run": folder.parent.name,
        "words": report_words.run(folder),
        "told": told,
        "sections": [
            {**item, **NOTHING}
            if alone and item["key"] not in stages and "absent" not in item
            else available(section(folder, item, told, largest), control)
            for item in parts
        ],
        "stages": stages,
        "sampler": report_words.sampler(folder),
        "starts": stages.get("train", {}).get("starts", []),
    }


def section(folder, item, told=None, largest=report_figures.HEAVY):
    """One question: its figures with captions, its numbers with chance, what is still missing."""
    path = folder / f"{item['key']}.json"
    if "absent" in item and not path.is_file():
        return {**item, **NOTHING, "notes": [item["absent"]]}
    found = files.read_json(path) if path.is_file() else {"not_yet": [f"{item['title']} {MISSING}"]}
    controls = found.get("controls", [])
    rows = report_tables.picked(found.get("summary", []), item, controls)
    return {
        **item,
        "figures": report_figures.chosen(folder / "figures", item, largest),
        "tables": report_tables.tables(rows),
        "warning": told,
        "lost": beaten(found) if item.get("rows") == "controls" else report_tables.lost(rows),
        "notes": notes(found, item),
        "not_yet": [] if item.get("rows") in ("layers", "controls") else found.get("not_yet", []),
    }


def available(part, control):
    """A section as it is, or without the untrained network where the run has no such control."""
    if control or not part["controlled"]:
        return part
    said = [NO_CONTROL if "ntrained-network" in words else words for words in part["not_yet"]]
    return {**part, "controlled": False, "not_yet": said}


def notes(found, item):
    """What the analysis says, but for its doubts, which the page draws from the numbers itself."""
    if item.get("rows") == "controls" and not found.get("controls"):
        return ["No controls were decoded."]
    if item.get("rows") in ("layers", "controls"):
        return []  # the section of decoding tells them
    return [words for words in found.get("notes", []) if not words.startswith(DOUBT)]


def beaten(found):
    """Which layers are no better than each of the controls, in the words of the analysis."""
    said = [words for words in found.get("notes", []) if words.startswith(DOUBT)]
    names = tuple(f"{DOUBT}{name}:" for name in found.get("controls", []))
    return [{"words": words, "which": []} for words in said if words.startswith(names)]


def main(
    spec: Path,
    folders: list[Path],
    intervals: Path,
    differences: Path,
    figures: Path,
    report: Path,
):
    """Write the report of all runs and seeds as one HTML file without outside references."""
    options = cli.options(spec)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["number"] = report_tables.number
    chapters = [chapter(folder, len(folders)) for folder in folders]
    page = environment.from_string(_text("report.html.j2")).render(
        title=options["title"],
        chapters=chapters,
        seeds=report_tables.across(intervals),
        differences=report_tables.across(differences),
        costs=costs.table(chapters),
        across=[report_figures.figure(figures, name) for name in across(chapters)],
        remarks=(seeds.NONE, seeds.FEW),
        told=[item["run"] for item in chapters if item["told"]],
        missing=MISSING,
        level=f"{LEVEL:g}",
    )
    with files.atomic(report) as temporary:
        temporary.write_text(page)


def across(chapters):
    """Names of the figures over all runs: that of several families only where there are such."""
    several = any("matched" in item["stages"] for item in chapters)
    return (*ACROSS, FAMILIES) if several else ACROSS


def _text(name):
    return (HERE / name).read_text()


if __name__ == "__main__":
    cli.run(main)
