"""What made everything, one table over all runs and seeds, and the report.

Reads: the scores, figures and sidecars of every run and seed.
Writes: run_info.json per run and seed; summary (.parquet and .csv) per run; and in results/ over all
runs summary, intervals and differences (.parquet and .csv), learning.parquet, report.html. On
demand provenance.html: what is stale, and why.
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


rule summary:
    input:
        scores=found_by,
        spec=spec("summary"),
    output:
        summary="results/{run}/summary.parquet",
        csv="results/{run}/summary.csv",
        prov=prov("summary"),
    log:
        "results/{run}/logs/summary.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("summary"),
    shell:
        """
        python -m analysis.summary --spec {input.spec} --scores {input.scores} \
            --summary {output.summary} --csv {output.csv} --prov {output.prov} >{log} 2>&1
        """


rule compare:
    input:
        summaries=every("results/{run}/summary.parquet", "summary"),
        curves=every("results/{run}/seed{seed}/training_curves.parquet", "training"),
        spec=spec("compare"),
    output:
        summary="results/summary.parquet",
        csv="results/summary.csv",
        intervals="results/intervals.parquet",
        intervals_csv="results/intervals.csv",
        differences="results/differences.parquet",
        differences_csv="results/differences.csv",
        learning="results/learning.parquet",
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
        python -m analysis.compare --spec {input.spec} --summaries {input.summaries} \
            --curves {input.curves} --summary {output.summary} --csv {output.csv} \
            --intervals {output.intervals} --intervals-csv {output.intervals_csv} \
            --differences {output.differences} --differences-csv {output.differences_csv} \
            --learning {output.learning} --prov {output.prov} >{log} 2>&1
        """


rule plot_compare:
    input:
        summary="results/summary.parquet",
        intervals="results/intervals.parquet",
        learning="results/learning.parquet",
        spec=spec("plot_compare"),
    output:
        decoding=figure("decoding_seeds", "across seeds", "results"),
        tuning=figure("tuning_seeds", "across seeds", "results"),
        learning=figure("learning_seeds", "across seeds", "results"),
        png=pngs("decoding_seeds", "tuning_seeds", "learning_seeds", folder="results"),
        prov=prov("plot_compare"),
    log:
        "results/logs/plot_compare.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_compare"),
    shell:
        """
        python -m analysis.plot_compare --spec {input.spec} --summary {input.summary} \
            --intervals {input.intervals} --learning {input.learning} \
            --decoding-seeds {output.decoding} --tuning-seeds {output.tuning} \
            --learning-seeds {output.learning} --prov {output.prov} >{log} 2>&1
        """


rule plot_families:
    input:
        summary="results/summary.parquet",
        intervals="results/intervals.parquet",
        spec=spec("plot_families"),
    output:
        families=figure("families", "across seeds", "results"),
        png=pngs("families", folder="results"),
        prov=prov("plot_families"),
    log:
        "results/logs/plot_families.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_families"),
    shell:
        """
        python -m analysis.plot_families --spec {input.spec} --summary {input.summary} \
            --intervals {input.intervals} --families {output.families} \
            --prov {output.prov} >{log} 2>&1
        """


# How each run plays its task, and nothing of what its layers know: `snakemake benchmarks`.
rule scoreboard:
    input:
        trainings=every("results/{run}/seed{seed}/training.json", "training"),
        evaluations=every("results/{run}/seed{seed}/evaluation.json", "evaluation"),
        curves=every("results/{run}/seed{seed}/training_curves.parquet", "training"),
        spec=spec("scoreboard"),
    output:
        table="results/scoreboard.parquet",
        csv="results/scoreboard.csv",
        markdown="results/scoreboard.md",
        learning="results/scoreboard_learning.parquet",
        prov=prov("scoreboard"),
    log:
        "results/logs/scoreboard.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("scoreboard"),
    shell:
        """
        python -m analysis.scoreboard --spec {input.spec} \
            --scores {input.trainings} {input.evaluations} --curves {input.curves} \
            --table {output.table} --csv {output.csv} --markdown {output.markdown} \
            --learning {output.learning} --prov {output.prov} >{log} 2>&1
        """


rule plot_scoreboard:
    input:
        learning="results/scoreboard_learning.parquet",
        table="results/scoreboard.parquet",
        spec=spec("plot_scoreboard"),
    output:
        learning=figure("learning_tasks", "across seeds", "results"),
        png=pngs("learning_tasks", folder="results"),
        prov=prov("plot_scoreboard"),
    log:
        "results/logs/plot_scoreboard.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_scoreboard"),
    shell:
        """
        python -m analysis.plot_scoreboard --spec {input.spec} --learning {input.learning} \
            --table {input.table} --learning-tasks {output.learning} \
            --prov {output.prov} >{log} 2>&1
        """


rule benchmarks:
    input:
        rules.scoreboard.output.markdown,
        rules.plot_scoreboard.output.learning,
    localrule: True


rule report:
    input:
        info=every("results/{run}/seed{seed}/run_info.json", "run_info"),
        scores=answers(),
        tables=tables(),
        figures=drawn(),
        # Not rules.plot_compare.output: Snakemake's time then grows with the square of the inputs.
        across=across(),
        intervals="results/intervals.parquet",
        differences="results/differences.parquet",
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
            --intervals {input.intervals} --differences {input.differences} \
            --figures $(dirname {input.across[0]}) --report {output.page} \
            --prov {output.prov} >{log} 2>&1
        """


# A target of its own: `snakemake --cores 1 provenance`. It has no output, so that it always looks.
rule provenance:
    log:
        "results/logs/provenance.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        configured=configured(),
    shell:
        """
        (python -m analysis.provenance --html results/provenance.html {params.configured} \
            || test $? -eq 1) 2>&1 | tee {log}
        """
