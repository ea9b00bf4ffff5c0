"""What made everything, one table over all runs and seeds, and the report.

Reads: the scores, figures and sidecars of every run and seed.
Writes: run_info.json per run and seed, results/summary.parquet and .csv, results/intervals.csv,
results/report.html.
"""


rule run_info_seed:
    input:
        sidecars=makers,
        spec=spec("run_info"),
    output:
        info="results/{run}/seed{seed}/run_info.json",
        prov=prov("run_info"),
    log:
        "results/{run}/seed{seed}/logs/run_info.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("run_info"),
    shell:
        """
        python -m jobs.run_info --spec {input.spec} --sidecars {input.sidecars} \
            --info {output.info} --prov {output.prov} >{log} 2>&1
        """


rule compare:
    input:
        scores=answers(),
        spec=spec("compare"),
    output:
        summary="results/summary.parquet",
        csv="results/summary.csv",
        intervals="results/intervals.csv",
        prov=prov("compare"),
    log:
        "results/logs/compare.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("compare"),
    shell:
        """
        python -m analysis.compare --spec {input.spec} --scores {input.scores} \
            --summary {output.summary} --csv {output.csv} --intervals-csv {output.intervals} \
            --prov {output.prov} >{log} 2>&1
        """


rule report:
    input:
        info=every("results/{run}/seed{seed}/run_info.json", "run_info"),
        scores=answers(),
        tables=tables(),
        figures=drawn(),
        intervals="results/intervals.csv",
        spec=spec("report"),
    output:
        page="results/report.html",
        prov=prov("report"),
    log:
        "results/logs/report.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("report"),
    shell:
        """
        python -m analysis.report --spec {input.spec} --folders $(dirname {input.info}) \
            --intervals-csv {input.intervals} --report {output.page} \
            --prov {output.prov} >{log} 2>&1
        """
