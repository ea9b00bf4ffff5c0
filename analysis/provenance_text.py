"""The account of a study in words, for the terminal."""

from collections import Counter

LINES = 40  # groups of jobs told; --json and --html tell all


def text(found):
    """The account as text: what is not fresh and why, what a run would do, how to start it."""
    counts = found["counts"]
    states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    lines = [f"{len(found['jobs'])} jobs, {sum(counts.values())} files: {states or 'none'}"]
    groups = grouped(found["jobs"])
    for jobs in groups[:LINES]:
        lines += ["", *told(jobs)]
    if len(groups) > LINES:
        lines += ["", f"… and {len(groups) - LINES} more groups of jobs; --html FILE shows all"]
    for title, stages in further(found["jobs"]).items():
        lines += ["", f"{title}: {stages}"]
    return "\n".join([*lines, *plan(found)])


def grouped(jobs):
    """Jobs that are not fresh by themselves, those of equal stage, state and reasons together."""
    found = {}
    for job in jobs:
        if job["state"] != "fresh" and not follows(job) and not unmade(job):
            key = (job["stage"], job["state"], tuple(reasons(job)))
            found.setdefault(key, []).append(job)
    return list(found.values())


def follows(job):
    """Whether a job is stale only because one that it needs is."""
    return {item["kind"] for item in job["reasons"]} == {"upstream"} and not job["doubts"]


def unmade(job):
    """Whether no file of a job is there."""
    return set(job["outputs"].values()) == {"missing"}


def further(jobs):
    """{title: stages with their numbers of jobs} for what needs no reason of its own."""
    titles = {"Not made yet": unmade, "Only because they are made from these": follows}
    counts = {
        title: Counter(job["stage"] for job in jobs if is_so(job))
        for title, is_so in titles.items()
    }
    return {
        title: ", ".join(f"{stage} ({number})" for stage, number in found.items())
        for title, found in counts.items()
        if found
    }


def reasons(job):
    """A job's own reasons, without the folder of its run and with missing files counted."""
    known = [item for item in job["reasons"] if item["kind"] not in ("missing", "upstream")]
    words = [item["words"] for item in known]
    missing = sum(state == "missing" for state in job["outputs"].values())
    if missing:
        words.insert(0, f"{missing} of {len(job['outputs'])} files are missing")
    gone = sum(state == "gone" for state in job["outputs"].values())
    words += [f"{gone} files are gone, but what was made from them is there"] if gone else []
    folder = f"results/{job['run']}/seed{job['seed']}/"
    return [word.replace(folder, "") for word in [*words, *job["doubts"], *job["altered"]]]


def told(jobs):
    """Lines about one group of jobs."""
    first = jobs[0]
    lines = [f"{first['stage']} ({places(jobs)}): {first['state']}"]
    lines += [f"    {word}" for word in reasons(first)]
    made = first["made"]
    return [*lines, f"    {origin(made)}"] if made and len(jobs) == 1 else lines


def places(jobs):
    """Of which runs and seeds the jobs are, shortened."""
    names = [
        " ".join(filter(None, [job["run"], job["seed"] and f"seed {job['seed']}"])) for job in jobs
    ]
    if len(names) > 3:
        return f"{len(names)} jobs: {names[0]} … {names[-1]}"
    return ", ".join(names) or "the study"


def origin(made):
    """One line about what made a result."""
    commit = (made["commit"] or "unknown")[:10] + (" with local changes" if made["dirty"] else "")
    job = f", SLURM job {made['slurm_job']}" if made["slurm_job"] else ""
    return f"made {made['started']} by commit {commit} on {made['host']}{job}"


def plan(found):
    """Lines about what a run would do."""
    run = found["run"]
    if not run["order"]:
        remake = [f"To make these again: {found['command']}"] if found["command"] else []
        return ["", "A run would do nothing.", *remake]
    jobs = sum(step["jobs"] for step in run["order"])
    lines = ["", f"A run would execute {jobs} jobs, in this order:"]
    for step in run["order"]:
        known = step["jobs"] - step["unknown"]
        time = span(step["seconds"]) if known else "unknown time"
        rest = f" and {step['unknown']} of unknown time" if known and step["unknown"] else ""
        lines.append(f"    {step['stage']:<20}{step['jobs']:>6}   {time}{rest}")
    return [*lines, *cost(run), "", *hint(found["jobs"]), f"To run it: {found['command']}"]


def hint(jobs):
    """What to do instead, where nothing but file times says that anything is stale."""
    kinds = {item["kind"] for job in jobs for item in job["reasons"]}
    if kinds - {"upstream"} != {"time"} or any(job["doubts"] for job in jobs):
        return []
    return [
        "Only file times say that anything is stale: these results were copied without .snakemake. "
        "`python -m jobs.adopt` takes them as they are, if their hashes are right."
    ]


def cost(run):
    """Lines about time and GPU hours."""
    lines = []
    if run["seconds"]:
        lines.append(
            f"One after another {span(run['seconds'])}, with enough machines "
            f"{span(run['at_least'])}; {run['core_hours']:.1f} core hours, as jobs took before."
        )
    if run["unknown"]:
        limit = span(run["at_most"])
        lines.append(f"{run['unknown']} jobs never ran: at most {limit} more by their time limits.")
    for partition, hours in run["gpu_hours"].items():
        lines.append(f"GPU hours on {partition}: {hours:.2f} (where times are known).")
    return lines


def span(seconds):
    """A time in words, to about two digits."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
