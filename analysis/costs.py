"""What did each run's training cost, and how much of it went into choosing what to learn from?

Times come from the records of how files were made, so that they can differ between equal results.
"""

PARTS = ("env", "policy", "update", "sampler")


def table(chapters):
    """One row per trained run, [{run, sampler, seeds, updates, ms, sampler_ms, share, ratio}].

    `chapters` [{run, sampler, starts}] one per run and seed. Milliseconds are per update over all
    seeds; a start that was killed told nothing and is left out. `ratio` compares the milliseconds
    of everything with those of the first run.
    """
    found = {}
    for item in chapters:
        told = [start for start in item["starts"] if start.get("updates")]
        if told:
            found.setdefault((item["run"], item["sampler"]), []).append(told)
    rows = [_row(*key, seeds) for key, seeds in found.items()]
    return [{**row, "ratio": row["ms"] / rows[0]["ms"]} for row in rows]


def _row(run, sampler, seeds):
    starts = [start for told in seeds for start in told]
    updates = sum(start["updates"] for start in starts)
    spent = {name: sum(start["seconds"].get(name, 0) for start in starts) for name in PARTS}
    total = sum(spent.values())
    return {
        "run": run,
        "sampler": sampler,
        "seeds": len(seeds),
        "updates": updates,
        "ms": 1000 * total / updates,
        "sampler_ms": 1000 * spent["sampler"] / updates,
        "share": spent["sampler"] / total,
    }
