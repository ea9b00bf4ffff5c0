"""Ask the recordings and dreams where space is represented, and gather the answers.

Reads, in results/{run}/seed{seed}/: trajectory.parquet, trajectory_test.parquet, dreams.parquet,
metrics.parquet, episodes.parquet.
Writes there one JSON of scores per question, with its tables; results/summary.parquet over all
runs and seeds; results/report.html.
"""


rule position_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test=tested,
        untrained=untrained("trajectory"),
        untrained_test=untrained("trajectory_test"),
        spec=spec("position"),
    output:
        scores="results/{run}/seed{seed}/position.json",
        steps="results/{run}/seed{seed}/position_steps.parquet",
        decoders="results/{run}/seed{seed}/position_decoders.safetensors",
        prov=prov("position"),
    log:
        "results/{run}/seed{seed}/logs/position.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/position.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime="8h",
    params:
        spec=content("position"),
    shell:
        """
        python -m analysis.position --spec {input.spec} --trajectory {input.trajectory} \
            --test {input.test} --scores {output.scores} --steps {output.steps} \
            --decoders {output.decoders} \
            $(test -z "{input.untrained}" || echo --untrained {input.untrained}) \
            $(test -z "{input.untrained_test}" || echo --untrained-test {input.untrained_test}) \
            --work results/{wildcards.run}/seed{wildcards.seed}/position.work \
            --prov {output.prov} >{log} 2>&1
        """


rule over_training_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory_snapshots.parquet",
        test="results/{run}/seed{seed}/trajectory_test_snapshots.parquet",
        spec=spec("over_training"),
    output:
        scores="results/{run}/seed{seed}/over_training.json",
        prov=prov("over_training"),
    log:
        "results/{run}/seed{seed}/logs/over_training.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/over_training.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime="2h",
    params:
        spec=content("over_training"),
    shell:
        """
        python -m analysis.over_training --spec {input.spec} --trajectory {input.trajectory} \
            --test {input.test} --scores {output.scores} \
            --work results/{wildcards.run}/seed{wildcards.seed}/over_training.work \
            --prov {output.prov} >{log} 2>&1
        """


rule tuning_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test=tested,
        untrained=untrained("trajectory"),
        untrained_test=untrained("trajectory_test"),
        spec=spec("tuning"),
    output:
        tuning="results/{run}/seed{seed}/tuning.parquet",
        null="results/{run}/seed{seed}/tuning_null.parquet",
        maps="results/{run}/seed{seed}/rate_maps.npz",
        scores="results/{run}/seed{seed}/tuning.json",
        prov=prov("tuning"),
    log:
        "results/{run}/seed{seed}/logs/tuning.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/tuning.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime="4h",
    params:
        spec=content("tuning"),
    shell:
        """
        python -m analysis.tuning --spec {input.spec} --trajectory {input.trajectory} \
            --test {input.test} --tuning {output.tuning} --null {output.null} \
            --maps {output.maps} --scores {output.scores} \
            $(test -z "{input.untrained}" || echo --untrained {input.untrained}) \
            $(test -z "{input.untrained_test}" || echo --untrained-test {input.untrained_test}) \
            --prov {output.prov} >{log} 2>&1
        """


rule cell_classes_seed:
    input:
        tuning="results/{run}/seed{seed}/tuning.parquet",
        null="results/{run}/seed{seed}/tuning_null.parquet",
        spec=spec("cell_classes"),
    output:
        classes="results/{run}/seed{seed}/cell_classes.parquet",
        scores="results/{run}/seed{seed}/cell_classes.json",
        prov=prov("cell_classes"),
    log:
        "results/{run}/seed{seed}/logs/cell_classes.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/cell_classes.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("cell_classes"),
    shell:
        """
        python -m analysis.classes --spec {input.spec} --tuning {input.tuning} \
            --null {input.null} --classes {output.classes} --scores {output.scores} \
            --prov {output.prov} >{log} 2>&1
        """


rule dreams_seed:
    input:
        dreams="results/{run}/seed{seed}/dreams.parquet",
        trajectory="results/{run}/seed{seed}/trajectory_test.parquet",
        decoders="results/{run}/seed{seed}/position_decoders.safetensors",
        spec=spec("dreams"),
    output:
        scores="results/{run}/seed{seed}/dreams.json",
        steps="results/{run}/seed{seed}/dreams_steps.parquet",
        maps="results/{run}/seed{seed}/dreams_maps.parquet",
        prov=prov("dreams"),
    log:
        "results/{run}/seed{seed}/logs/dreams.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/dreams.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="1h",
    params:
        spec=content("dreams"),
    shell:
        """
        python -m analysis.dreams --spec {input.spec} --dreams {input.dreams} \
            --trajectory {input.trajectory} --decoders {input.decoders} \
            --scores {output.scores} --steps {output.steps} --maps {output.maps} \
            --prov {output.prov} >{log} 2>&1
        """


rule behavior_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        spec=spec("behavior"),
    output:
        scores="results/{run}/seed{seed}/behavior.json",
        prov=prov("behavior"),
    log:
        "results/{run}/seed{seed}/logs/behavior.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/behavior.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="30m",
    params:
        spec=content("behavior"),
    shell:
        """
        python -m analysis.behavior --spec {input.spec} --trajectory {input.trajectory} \
            --scores {output.scores} --prov {output.prov} >{log} 2>&1
        """


rule training_seed:
    input:
        metrics="results/{run}/seed{seed}/metrics.parquet",
        episodes="results/{run}/seed{seed}/episodes.parquet",
        spec=spec("training"),
    output:
        scores="results/{run}/seed{seed}/training.json",
        curves="results/{run}/seed{seed}/training_curves.parquet",
        prov=prov("training"),
    log:
        "results/{run}/seed{seed}/logs/training.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/training.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="30m",
    params:
        spec=content("training"),
    shell:
        """
        python -m analysis.training --spec {input.spec} --metrics {input.metrics} \
            --episodes {input.episodes} --scores {output.scores} --curves {output.curves} \
            --prov {output.prov} >{log} 2>&1
        """


rule matched_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test=tested,
        untrained=untrained("trajectory"),
        untrained_test=untrained("trajectory_test"),
        tuning="results/{run}/seed{seed}/tuning.parquet",
        spec=spec("matched"),
    output:
        scores="results/{run}/seed{seed}/matched.json",
        prov=prov("matched"),
    log:
        "results/{run}/seed{seed}/logs/matched.log",
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime="2h",
    params:
        spec=content("matched"),
    shell:
        """
        python -m analysis.matched --spec {input.spec} --trajectory {input.trajectory} \
            --test {input.test} --tuning {input.tuning} --scores {output.scores} \
            $(test -z "{input.untrained}" || echo --untrained {input.untrained}) \
            $(test -z "{input.untrained_test}" || echo --untrained-test {input.untrained_test}) \
            --prov {output.prov} >{log} 2>&1
        """
