"""The account of a study as one self-contained page."""

import json
from pathlib import Path

import jinja2

from analysis import provenance_graph, provenance_text
from jobs import rulegraph

TEMPLATE = Path(__file__).with_name("provenance.html.j2")
SHORT = 2000  # jobs above which the page leaves out what stands in the sidecars of fresh files


def page(found):
    """HTML of the account `found`, readable without a network."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["span"] = provenance_text.span
    edges = rulegraph.reduced({tuple(edge) for edge in found["edges"]})
    return environment.from_string(TEMPLATE.read_text()).render(
        **found,
        graph=provenance_graph.svg(found["jobs"], edges),
        colours=provenance_graph.COLOURS,
        further=provenance_text.further(found["jobs"]),
        hint=provenance_text.hint(found["jobs"]),
        groups=[group(jobs) for jobs in provenance_text.grouped(found["jobs"])],
        data=embedded(rows(found["jobs"])),
        short=len(found["jobs"]) > SHORT,
    )


def group(jobs):
    """Jobs of the same stage, state and reasons, for one line."""
    first = jobs[0]
    return {
        "stage": first["stage"],
        "state": first["state"],
        "jobs": len(jobs),
        "places": provenance_text.places(jobs),
        "reasons": provenance_text.reasons(first),
    }


def rows(jobs):
    """Jobs and the option blocks that made them, each block once."""
    blocks, told = {}, []
    for job in jobs:
        made = dict(job["made"] or {})
        if len(jobs) > SHORT and job["state"] == "fresh":
            made = {key: value for key, value in made.items() if key not in ("inputs", "command")}
        options = json.dumps(made.pop("options", None), sort_keys=True)
        made["options"] = blocks.setdefault(options, len(blocks))
        told.append({**job, "made": made, "reasons": [item["words"] for item in job["reasons"]]})
    return {"options": [json.loads(text) for text in blocks], "jobs": told}


def embedded(value):
    """JSON that may stand inside a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
