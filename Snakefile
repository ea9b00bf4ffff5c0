"""Dream Atlas: from a configuration to agents, recordings, analyses, figures and one report.

Start it in this folder: `snakemake --cores all`, or `make demo`, which also sets everything up.
"""

import os

from snakemake.utils import min_version

min_version("9.20")

# XLA allocates its large arrays anew in every update; mapping them by pages of 4 kB takes up to half of the time of
# a small network on a processor. glibc reads this when a job's process begins; results stay the same.
os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")


configfile: "workflow_config.yaml"


wildcard_constraints:
    run="[A-Za-z0-9_-]+",
    seed="[0-9]+",


include: "rules/common.smk"
include: "rules/agent.smk"
include: "rules/v4.smk"
include: "rules/analysis.smk"
include: "rules/figures.smk"
include: "rules/study.smk"


onstart:
    fit_partitions()


rule all:
    default_target: True
    input:
        rules.report.output,
    localrule: True


# One target per stage: `snakemake --cores all position` makes every run's and seed's and what it
# needs, and nothing else. The rules that do the work are called <stage>_seed.
for stage in [stage for stage, item in stages.STAGES.items() if "{seed}" in item.first]:

    rule:
        name:
            stage
        input:
            every(stages.STAGES[stage].first, stage),
        localrule: True
