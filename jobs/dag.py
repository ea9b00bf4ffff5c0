"""What Snakemake knows of every job of a study, without running, locking or writing anything.

All that is not Snakemake's public interface stands here; tests/test_staleness.py says when an
update of Snakemake breaks it.
"""

import hashlib
import json
import os
import sys
import time
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from unittest import mock

from snakemake import cli, exceptions, persistence, workflow
from snakemake.io import IOFile, Mtime, _IOFile

from jobs import spec_files
from jobs.errors import Refused
from jobs.facts import Job

WORDS = ["--summary", "--dry-run", "--nolock", "--cores", "100000"]


def look(words, partition=lambda job: None):
    """Every job of the study, in an order in which they could run.

    `words` are those that would be given to snakemake (--configfile, --profile, targets, …);
    `partition` names that of the cluster for a job. A workflow that cannot be read is refused.
    """
    told = StringIO()
    with _only_looking(partition) as found, redirect_stderr(told), redirect_stdout(told):
        try:
            parser, args = cli.parse_args([*WORDS, *words])
            planned = cli.args_to_api(args, parser)
        except SystemExit:
            planned = False
        except (exceptions.CliException, exceptions.WorkflowError) as error:
            raise Refused(f"Snakemake refuses {' '.join(words)}: {error}") from None
    if not planned:
        said, _, rest = told.getvalue().partition("Traceback (most recent call last)")
        print(said + rest.strip().rpartition("\n")[2], file=sys.stderr)
        raise Refused("Snakemake cannot plan this study; its own words stand above")
    return found


def disown(store, result, text):
    """Drop the record of a result in `store` if it says that the spec `text` made it."""
    file = IOFile(result)
    record = store.metadata(file)
    if record and repr(text) in (record.params or []):
        store.cleanup_metadata(file)


def alike(flow, rule, other):
    """Give `other` the resources and threads that a profile or a flag names for `rule`."""
    asked = flow.resource_settings
    for chosen in (asked._parsed_overwrite_resources, asked._parsed_overwrite_threads):
        if rule in chosen:
            chosen.setdefault(other, chosen[rule])


class _Unchanged(persistence.file.FilePersistence):
    """Snakemake's records, for reading; those dropped are only hidden."""

    def __init__(self, **settings):
        self.hidden = set()
        with mock.patch("os.makedirs"):
            super().__init__(**settings)
        self._max_len = os.pathconf(".", "PC_NAME_MAX")  # their folder need not be there

    def _read_record(self, key):
        return None if key in self.hidden else super()._read_record(key)

    def cleanup_metadata(self, target):
        """Hide a record."""
        self.hidden.add(self._get_key(target))

    def save_iocache(self):
        """Keep nothing for later runs."""

    def drop_iocache(self):
        """Keep what is there."""


@contextmanager
def _only_looking(partition):
    """Within, `snakemake --summary` builds its graph, writes nothing and fills the yielded list."""
    found, specs = [], {}
    is_fifo = _IOFile.is_fifo

    def build(self, detailed=False):
        settings = self.dag_settings
        self._prepare_dag(settings.forceall, ignore_incomplete=False, lock_warn_only=True)
        spec_files.looking = lambda path, text: _pretend(self.iocache, path, text, specs)
        self._build_dag()
        found.extend(self.async_run(_jobs(self, partition)))

    with ExitStack() as stack:
        change = stack.enter_context
        change(mock.patch.object(workflow.Workflow, "summary", build))
        change(mock.patch.object(workflow, "FilePersistence", _Unchanged))
        change(mock.patch.object(workflow, "DbPersistence", _Unchanged))
        change(mock.patch.object(spec_files, "looking", lambda path, text: None))
        change(
            mock.patch.object(
                _IOFile, "is_fifo", lambda file: str(file) not in specs and is_fifo(file)
            )
        )
        yield found


def _pretend(cache, path, text, specs):
    """Tell Snakemake of a spec file that a run would write now, or touch."""
    specs[path] = text
    now = time.time()
    cache.mtime[path] = Mtime(local=now)
    cache.exists_local[path] = True
    cache.size[path] = len(text)
    cache.checksum[path] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()


async def _jobs(flow, partition):
    """Facts about all jobs of a built workflow, level by level."""
    dag, found, places = flow.dag, [], {}
    for level, jobs in enumerate(dag.toposorted()):
        for job in sorted(jobs, key=_place):
            places[job] = len(found)
            found.append(await _job(flow, job, level, places, partition))
    return found


def _place(job):
    """Where a job stands among those of its level: by rule, run and seed."""
    found = job.wildcards_dict
    return job.rule.name, found.get("run", ""), int(found.get("seed", 0))


async def _job(flow, job, level, places, partition):
    dag, store = flow.dag, flow.persistence
    runs = bool(dag.needrun(job)) and not job.rule.norun
    local = job.rule.name in flow._localrules
    text = None if job.rule.norun else job.params.get("spec")
    records = [store.metadata(path) for path in job.output]
    record = next(filter(None, records), None)
    before = set(record.input or []) if record else set(job.input)
    return Job(
        rule=job.rule.name,
        wildcards=dict(job.wildcards_dict),
        level=level,
        after=sorted(places[other] for other in dag.job_dependencies(job)),
        inputs=list(map(str, job.input)),
        outputs=list(map(str, job.output)),
        benchmark=str(job.benchmark) if job.benchmark else None,
        resources={"threads": job.threads, **dict(job.resources.items())} if runs else {},
        partition=None if local or not runs else partition(job),
        local=local,
        planned=json.loads(text) if text else None,
        runs=runs,
        said=str(dag.reason(job)) if runs else "",
        missing=[str(path) for path in job.output if not await path.exists()],
        incomplete=list(map(str, await store.incomplete(job))),
        updated=await _updated(flow, job, store),
        added=sorted(set(map(str, job.input)) - before),
        removed=sorted(before - set(map(str, job.input))),
        command=any(item and item.code != store._code(job.rule) for item in records),
        recorded=all(records),
        spec=_recorded(record),
        read=_read(record),
    )


async def _updated(flow, job, store):
    """Inputs that Snakemake holds for changed: newer than the result, with other content."""
    oldest, limit = await job.output_mintime, flow.dag.max_checksum_file_size
    if oldest is None:
        return []
    found = []
    for path in job.input:
        if await path.exists() and await path.is_newer(oldest):
            known = store.input_checksums(job, path)
            eligible = len(known) == 1 and await path.is_checksum_eligible(limit)
            if not eligible or not await path.is_same_checksum(known.pop(), limit):
                found.append(str(path))
    return found


def _read(record):
    """{input: SHA-256 that it had} in Snakemake's record of a result."""
    known = (record.input_checksums if record else None) or {}
    return {
        path: text.removeprefix("sha256:")
        for path, text in known.items()
        if str(text).startswith("sha256:")
    }


def _recorded(record):
    """The spec in Snakemake's record of a result, where one param is a spec."""
    for text in (record.params or []) if record else []:
        try:
            return json.loads(text[1:-1].encode().decode("unicode_escape"))
        except ValueError:
            continue
    return None
