"""Why a result is stale: every reason, not only the first that Snakemake meets."""

from typing import NamedTuple

from jobs import origins, plan, specs, stages

MISSING = object()
MANY = 5  # files named one by one


class Reason(NamedTuple):
    """One reason. `kind` is one of those that `words` knows."""

    kind: str
    what: str
    was: object = None
    now: object = None

    def words(self):
        """The reason as a short sentence."""
        words = {
            "missing": f"missing: {self.what}",
            "incomplete": f"incomplete: {self.what} (its job was interrupted, or runs just now)",
            "option": f"option {self.what}: {_shown(self.was)} -> {_shown(self.now)}",
            "source": f"source {self.what} {self.now}",
            "version": f"version of {self.what}: {_shown(self.was)} -> {_shown(self.now)}",
            "input": f"input {self.now}: {self.what}",
            "time": f"{self.what} is newer, and no record says that it is the same",
            "upstream": f"made from what runs first: {self.what}",
            "record": self.what,
            "command": "the command in its rule changed",
            "forced": self.what,
        }
        return words[self.kind]


def of(job, made, old, jobs):
    """All reasons of a job whose sidecar is `made` and whose result the spec `old` made."""
    if job.planned is None:
        return []
    found = [Reason("missing", path) for path in folded(job.missing)]
    found += [Reason("incomplete", path) for path in job.incomplete]
    if len(job.missing) < len(job.outputs):
        found += [*spec(job, made, old), *inputs(job)]
        found += [Reason("command", "command")] if job.command else []
    first = sorted({stage(jobs[place]) for place in job.after if jobs[place].runs})
    found += [Reason("upstream", ", ".join(first))] if first else []
    if job.runs and not found:
        found = [Reason("forced", job.said)]
    return found


def stage(job):
    """The name of a job's stage; a target that does no work has its rule's."""
    return job.planned["rule"] if job.planned else job.rule


def spec(job, made, old):
    """What differs between the spec that made a result and the planned one."""
    name = specs.path("", job.planned).name
    if old is None:
        told = f"made with {made['spec']}, which is not kept" if made and made.get("spec") else None
        return [Reason("record", told or "nothing tells which options and code made it")]
    found = options(job.planned, old)
    found += sources(job.planned, old) if old["code"] != job.planned["code"] else []
    found += versions(job.planned, old) if old["lock"] != job.planned["lock"] else []
    if old["python"] != job.planned["python"]:
        found.append(Reason("version", "Python", old["python"], job.planned["python"]))
    if not found and any(path.endswith(name) for path in job.updated):
        found = [Reason("time", "its spec file")]
    return found


def options(new, old):
    """Options that changed, named as in the configuration."""
    block = stages.STAGES[new["rule"]].block or new["rule"]
    whole = ("train", "dataset", *stages.PHASES)  # their options have the names of a run's
    place = "" if new["rule"] in whole else f"{block}."
    was, now = flat(old["options"]), flat(new["options"])
    return [
        Reason("option", place + name, was.get(name, MISSING), now.get(name, MISSING))
        for name in sorted(was.keys() | now.keys())
        if was.get(name, MISSING) != now.get(name, MISSING)
    ]


def flat(tree, place=""):
    """{dotted name: value} of nested options."""
    found = {}
    for name, value in tree.items():
        deeper = isinstance(value, dict) and value
        found |= flat(value, f"{place}{name}.") if deeper else {place + name: value}
    return found


def sources(new, old):
    """Source files that changed, as far as the hashes of files were kept."""
    was = origins.read(plan.FOLDER, "code", old["code"])
    if was is None:
        what = f"of {' and '.join(old['modules'])} (which files is not recorded)"
        return [Reason("source", what, now="changed")]
    now = origins.sources(*new["modules"])
    return [
        Reason("source", path, now=_turn(path in was, path in now))
        for path in sorted(was.keys() | now.keys())
        if was.get(path) != now.get(path)
    ]


def versions(new, old):
    """Packages whose locked versions changed, as far as the old lock was kept."""
    was, now = origins.read(plan.FOLDER, "lock", old["lock"]), origins.locked(new["lock"])
    names = sorted(was.keys() | now.keys()) if was and now else []
    found = [
        Reason("version", name, was.get(name, MISSING), now.get(name, MISSING))
        for name in names
        if was.get(name) != now.get(name)
    ]
    return found or [Reason("version", "its environment's lock", old["lock"][:8], new["lock"][:8])]


def inputs(job):
    """Inputs that changed, came or went; the spec is another matter."""
    updated = folded([path for path in job.updated if path not in job.added])
    kind = "input" if job.recorded else "time"
    found = [Reason(kind, path, now="changed") for path in updated]
    found += [Reason("input", path, now="new") for path in folded(job.added)]
    return found + [Reason("input", path, now="gone") for path in folded(job.removed)]


def folded(paths):
    """Paths other than of specs; of many only the first, and how many more."""
    found = [path for path in paths if not path.startswith(f"{plan.FOLDER}/")]
    return found if len(found) <= MANY else [f"{found[0]} and {len(found) - 1} more"]


def _turn(before, after):
    return "changed" if before and after else "is new" if after else "is gone"


def _shown(value):
    return "not set" if value is MISSING else "none" if value is None else str(value)
