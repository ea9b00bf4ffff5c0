"""Train an agent, record what it does and what its layers compute, and let it dream.

Reads: the configuration (runs, record, dreams).
Writes, in results/{run}/seed{seed}/: checkpoint.safetensors, metrics.parquet, episodes.parquet,
snapshots/, trajectory.parquet, trajectory_test.parquet, dreams.parquet, and both recordings as
other networks see them: …_untrained.parquet, …_snapshots.parquet.
train.state/ and record.work/ beside them hold what a job continues from after an interruption.
"""

# One rule per list of snapshots, because each snapshot is an output by name; most studies have one.
for number, (steps, names) in enumerate(snapshots().items()):
    if number:
        dag.alike(workflow, "train_seed", f"train_seed_{number}")

    rule:
        name:
            f"train_seed_{number}" if number else "train_seed"
        input:
            start=warm,
            spec=spec("train"),
        output:
            checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
            metrics="results/{run}/seed{seed}/metrics.parquet",
            episodes="results/{run}/seed{seed}/episodes.parquet",
            snapshots=[
                f"results/{{run}}/seed{{seed}}/snapshots/{step}.safetensors"
                for step in steps
            ],
            prov=prov("train"),
        log:
            "results/{run}/seed{seed}/logs/train.log",
        benchmark:
            "results/{run}/seed{seed}/benchmarks/train.tsv"
        wildcard_constraints:
            run="|".join(names),
        retries: RETRIES
        conda:
            conda_of("train")
        threads: 4
        resources:
            mem_mb=16000,
            runtime="12h",
            save_every=cadence("save_every"),
            video_every=cadence("video_every"),
            logger=loggers,
            gpu=gpu("train", "gpu"),
            gpu_model=gpu("train", "gpu_model"),
            gres=gpu("train", "gres"),
        params:
            spec=content("train"),
        shell:
            """
            python -m dreamer.train --spec {input.spec} --checkpoint {output.checkpoint} \
                --metrics {output.metrics} --episodes {output.episodes} \
                --state results/{wildcards.run}/seed{wildcards.seed}/train.state \
                $(test -z "{output.snapshots}" || echo --snapshots {output.snapshots}) \
                --run.save_every {resources.save_every} \
                --run.video_every {resources.video_every} \
                --logger $(echo {resources.logger} | tr - ' ') \
                --prov {output.prov} >{log} 2>&1
            """


rule import_run_seed:
    input:
        files=foreign,
        spec=spec("import_run"),
    output:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        metrics="results/{run}/seed{seed}/metrics.parquet",
        episodes="results/{run}/seed{seed}/episodes.parquet",
        prov=prov("import_run"),
    log:
        "results/{run}/seed{seed}/logs/import_run.log",
    wildcard_constraints:
        run=runs("import_run"),
    conda:
        "../envs/agent.yaml"
    threads: 1
    resources:
        mem_mb=16000,
        runtime="30m",
    params:
        spec=content("import_run"),
    shell:
        """
        python -m dreamer.import_run --spec {input.spec} --out {output.checkpoint} \
            --metrics {output.metrics} --episodes {output.episodes} \
            --prov {output.prov} >{log} 2>&1
        """


rule import_trajectories_seed:
    input:
        files=foreign,
        spec=spec("import_trajectories"),
    output:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        prov=prov("import_trajectories"),
    log:
        "results/{run}/seed{seed}/logs/import_trajectories.log",
    wildcard_constraints:
        run=runs("import_trajectories"),
    conda:
        "../envs/agent.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime="1h",
    params:
        spec=content("import_trajectories"),
    shell:
        """
        python -m dreamer.import_trajectories --spec {input.spec} --out {output.trajectory} \
            --prov {output.prov} >{log} 2>&1
        """


rule record_seed:
    input:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        spec=spec("record"),
    output:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test="results/{run}/seed{seed}/trajectory_test.parquet",
        prov=prov("record"),
    log:
        "results/{run}/seed{seed}/logs/record.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/record.tsv"
    wildcard_constraints:
        run=runs("record"),
    retries: RETRIES
    conda:
        conda_of("record")
    threads: 4
    resources:
        mem_mb=8000,
        runtime="4h",
        gpu=gpu("record", "gpu"),
        gpu_model=gpu("record", "gpu_model"),
        gres=gpu("record", "gres"),
    params:
        spec=content("record"),
    shell:
        """
        python -m dreamer.record --spec {input.spec} --checkpoint {input.checkpoint} \
            --trajectory {output.trajectory} --test-trajectory {output.test} \
            --work results/{wildcards.run}/seed{wildcards.seed}/record.work \
            --prov {output.prov} >{log} 2>&1
        """


rule untrained_seed:
    input:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test="results/{run}/seed{seed}/trajectory_test.parquet",
        spec=spec("untrained"),
    output:
        trajectory="results/{run}/seed{seed}/trajectory_untrained.parquet",
        test="results/{run}/seed{seed}/trajectory_test_untrained.parquet",
        prov=prov("untrained"),
    log:
        "results/{run}/seed{seed}/logs/untrained.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/untrained.tsv"
    wildcard_constraints:
        run=runs("untrained"),
    retries: RETRIES
    conda:
        conda_of("untrained")
    threads: 2
    resources:
        mem_mb=8000,
        runtime="4h",
        gpu=gpu("untrained", "gpu"),
        gpu_model=gpu("untrained", "gpu_model"),
        gres=gpu("untrained", "gres"),
    params:
        spec=content("untrained"),
    shell:
        """
        python -m dreamer.retrace --spec {input.spec} --checkpoint {input.checkpoint} \
            --trajectory {input.trajectory} {input.test} --out {output.trajectory} {output.test} \
            --work results/{wildcards.run}/seed{wildcards.seed}/untrained.work \
            --prov {output.prov} >{log} 2>&1
        """


rule snapshots_seed:
    input:
        checkpoints=kept,
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test="results/{run}/seed{seed}/trajectory_test.parquet",
        spec=spec("snapshots"),
    output:
        trajectory="results/{run}/seed{seed}/trajectory_snapshots.parquet",
        test="results/{run}/seed{seed}/trajectory_test_snapshots.parquet",
        prov=prov("snapshots"),
    log:
        "results/{run}/seed{seed}/logs/snapshots.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/snapshots.tsv"
    wildcard_constraints:
        run=runs("snapshots"),
    retries: RETRIES
    conda:
        conda_of("snapshots")
    threads: 2
    resources:
        mem_mb=16000,
        runtime="4h",
        gpu=gpu("snapshots", "gpu"),
        gpu_model=gpu("snapshots", "gpu_model"),
        gres=gpu("snapshots", "gres"),
    params:
        spec=content("snapshots"),
    shell:
        """
        python -m dreamer.retrace --spec {input.spec} --checkpoint {input.checkpoints} \
            --trajectory {input.trajectory} {input.test} --out {output.trajectory} {output.test} \
            --work results/{wildcards.run}/seed{wildcards.seed}/snapshots.work \
            --prov {output.prov} >{log} 2>&1
        """


rule dream_seed:
    input:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        trajectory="results/{run}/seed{seed}/trajectory_test.parquet",
        spec=spec("dream"),
    output:
        dreams="results/{run}/seed{seed}/dreams.parquet",
        prov=prov("dream"),
    log:
        "results/{run}/seed{seed}/logs/dream.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/dream.tsv"
    conda:
        conda_of("dream")
    threads: 2
    resources:
        mem_mb=8000,
        runtime="1h",
        gpu=gpu("dream", "gpu"),
        gpu_model=gpu("dream", "gpu_model"),
        gres=gpu("dream", "gres"),
    params:
        spec=content("dream"),
    shell:
        """
        python -m dreamer.dream --spec {input.spec} --checkpoint {input.checkpoint} \
            --trajectory {input.trajectory} --dreams {output.dreams} \
            --prov {output.prov} >{log} 2>&1
        """
