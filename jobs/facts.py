"""What is known of a job of a study before anything runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One job, and how the files on disk stand to it. `after` are places in the list of jobs."""

    rule: str
    wildcards: dict
    level: int  # jobs of a level need only those of lower ones
    after: list
    inputs: list
    outputs: list
    benchmark: str | None
    resources: dict  # threads too; empty where nothing would run
    partition: str | None  # of the cluster's, for a job that would run there
    local: bool
    planned: dict | None  # its spec; None for a target that does no work
    runs: bool  # whether a run would execute it
    said: str  # Snakemake's reason
    missing: list  # outputs
    incomplete: list  # outputs
    updated: list  # inputs that are newer than the result and not known to be the same
    added: list  # inputs that it did not have
    removed: list
    command: bool  # whether the rule's command changed
    recorded: bool  # whether Snakemake has a record of every output
    spec: dict | None  # in Snakemake's record
    read: dict  # {input: SHA-256 that it had}, in Snakemake's record
