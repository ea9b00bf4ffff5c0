"""Write a data set and train an agent that learns from it, phase after phase (runs with agent: v4).

Reads: the configuration (runs and their data); checkpoints of another run, or files.
Evaluates the world model on held-out episodes, and the agent beside its parent and chance.
Writes, in results/{run}/seed{seed}/: dataset.parquet, dataset_test.parquet, and of each phase a
checkpoint (tokenizer, dynamics, finetune, and of imagination checkpoint.safetensors) and
<phase>_metrics.parquet. dataset.work/, <phase>.state/ and frames.work/ beside them hold what a job
continues from after an interruption, and the decoded images that the phases share.
"""


rule dataset_seed:
    input:
        checkpoints=played("checkpoints"),
        files=played("files"),
        spec=spec("dataset"),
    output:
        dataset="results/{run}/seed{seed}/dataset.parquet",
        test="results/{run}/seed{seed}/dataset_test.parquet",
        prov=prov("dataset"),
    log:
        "results/{run}/seed{seed}/logs/dataset.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/dataset.tsv"
    wildcard_constraints:
        run=runs("dataset"),
    retries: RETRIES
    conda:
        conda_of("dataset")
    threads: 4
    resources:
        mem_mb=8000,
        runtime="8h",
        gpu=gpu("dataset", "gpu"),
        gpu_model=gpu("dataset", "gpu_model"),
        gres=gpu("dataset", "gres"),
    params:
        spec=content("dataset"),
    shell:
        """
        python -m dreamer.dataset --spec {input.spec} \
            $(test -z "{input.checkpoints}" || echo --checkpoints {input.checkpoints}) \
            $(test -z "{input.files}" || echo --files {input.files}) \
            --dataset {output.dataset} --test {output.test} \
            --work results/{wildcards.run}/seed{wildcards.seed}/dataset.work \
            --prov {output.prov} >{log} 2>&1
        """


# One rule per phase, each of which begins with the checkpoint of the one before.
for phase, former in zip(stages.PHASES, (None, *stages.PHASES)):

    rule:
        name:
            f"{phase}_seed"
        input:
            dataset="results/{run}/seed{seed}/dataset.parquet",
            test="results/{run}/seed{seed}/dataset_test.parquet",
            start=stages.first(former) if former else [],
            weights=[] if former else warm,
            spec=spec(phase),
        output:
            checkpoint=stages.first(phase),
            metrics=f"results/{{run}}/seed{{seed}}/{phase}_metrics.parquet",
            prov=prov(phase),
        log:
            f"results/{{run}}/seed{{seed}}/logs/{phase}.log",
        benchmark:
            f"results/{{run}}/seed{{seed}}/benchmarks/{phase}.tsv"
        wildcard_constraints:
            run=runs(phase),
        retries: RETRIES
        conda:
            conda_of(phase)
        threads: 4
        resources:
            mem_mb=16000,
            runtime="12h",
            save_every=cadence("save_every"),
            logger=loggers,
            gpu=gpu(phase, "gpu"),
            gpu_model=gpu(phase, "gpu_model"),
            gres=gpu(phase, "gres"),
        params:
            spec=content(phase),
            command=stages.STAGES[phase].module,
            phase=phase,
        shell:
            """
            python -m {params.command} --spec {input.spec} --dataset {input.dataset} \
                --test {input.test} $(test -z "{input.start}" || echo --start {input.start}) \
                --checkpoint {output.checkpoint} --metrics {output.metrics} \
                --state results/{wildcards.run}/seed{wildcards.seed}/{params.phase}.state \
                --run.save_every {resources.save_every} \
                --logger $(echo {resources.logger} | tr - ' ') --prov {output.prov} >{log} 2>&1
            """


rule phases_seed:
    input:
        metrics=[
            f"results/{{run}}/seed{{seed}}/{phase}_metrics.parquet"
            for phase in stages.PHASES
        ],
        spec=spec("phases"),
    output:
        scores="results/{run}/seed{seed}/phases.json",
        curves="results/{run}/seed{seed}/phases_curves.parquet",
        prov=prov("phases"),
    log:
        "results/{run}/seed{seed}/logs/phases.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("phases"),
    shell:
        """
        python -m analysis.phases --spec {input.spec} --metrics {input.metrics} \
            --scores {output.scores} --curves {output.curves} --prov {output.prov} >{log} 2>&1
        """


rule plot_phases_seed:
    input:
        curves="results/{run}/seed{seed}/phases_curves.parquet",
        spec=spec("plot_phases"),
    output:
        drawn=[figure(f"phase_{phase}", "training") for phase in stages.PHASES],
        phase_metrics=figure("phase_metrics", "training"),
        png=pngs(*[f"phase_{phase}" for phase in stages.PHASES], "phase_metrics"),
        prov=prov("plot_phases"),
    log:
        "results/{run}/seed{seed}/logs/plot_phases.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_phases"),
    shell:
        """
        python -m analysis.plot_phases --spec {input.spec} --curves {input.curves} \
            --figures {output.drawn} --phase-metrics {output.phase_metrics} --prov {output.prov} >{log} 2>&1
        """


rule world_model_seed:
    input:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        test="results/{run}/seed{seed}/dataset_test.parquet",
        spec=spec("world_model"),
    output:
        scores="results/{run}/seed{seed}/world_model.json",
        steps="results/{run}/seed{seed}/world_model.parquet",
        clips="results/{run}/seed{seed}/world_model_clips.parquet",
        prov=prov("world_model"),
    log:
        "results/{run}/seed{seed}/logs/world_model.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/world_model.tsv"
    wildcard_constraints:
        run=runs("world_model"),
    conda:
        conda_of("world_model")
    threads: 2
    resources:
        mem_mb=8000,
        runtime="2h",
        gpu=gpu("world_model", "gpu"),
        gpu_model=gpu("world_model", "gpu_model"),
        gres=gpu("world_model", "gres"),
    params:
        spec=content("world_model"),
    shell:
        """
        python -m dreamer.v4.evaluate --spec {input.spec} --checkpoint {input.checkpoint} \
            --test {input.test} --scores {output.scores} --steps {output.steps} \
            --clips {output.clips} \
            --work results/{wildcards.run}/seed{wildcards.seed}/world_model.work \
            --prov {output.prov} >{log} 2>&1
        """


rule evaluation_seed:
    input:
        checkpoint="results/{run}/seed{seed}/checkpoint.safetensors",
        parent=learned("finetune.safetensors"),
        dataset=learned("dataset.parquet"),
        spec=spec("evaluation"),
    output:
        scores="results/{run}/seed{seed}/evaluation.json",
        episodes="results/{run}/seed{seed}/evaluation.parquet",
        film=figure("evaluation_film", "training", suffix="gif"),
        prov=prov("evaluation"),
    log:
        "results/{run}/seed{seed}/logs/evaluation.log",
    benchmark:
        "results/{run}/seed{seed}/benchmarks/evaluation.tsv"
    wildcard_constraints:
        run=runs("evaluation"),
    conda:
        conda_of("evaluation")
    threads: 4
    resources:
        mem_mb=8000,
        runtime="4h",
        gpu=gpu("evaluation", "gpu"),
        gpu_model=gpu("evaluation", "gpu_model"),
        gres=gpu("evaluation", "gres"),
    params:
        spec=content("evaluation"),
    shell:
        """
        python -m dreamer.evaluate {input.checkpoint} {input.parent} --spec {input.spec} \
            $(test -z "{input.dataset}" || echo --dataset {input.dataset}) \
            --scores {output.scores} --table {output.episodes} \
            --film {output.film} --prov {output.prov} >{log} 2>&1
        """


rule plot_world_model_seed:
    input:
        steps="results/{run}/seed{seed}/world_model.parquet",
        clips="results/{run}/seed{seed}/world_model_clips.parquet",
        spec=spec("plot_world_model"),
    output:
        foreseen_quality=figure("foreseen_quality", "world model"),
        sampling_steps=figure("sampling_steps", "world model"),
        flow_error=figure("flow_error", "world model"),
        free_run=figure("free_run", "world model"),
        reward_calibration=figure("reward_calibration", "world model"),
        clip_strips=figure("clip_strips", "world model"),
        clip_video=figure("clip_video", "world model", suffix="gif"),
        png=pngs(
            "foreseen_quality",
            "sampling_steps",
            "flow_error",
            "free_run",
            "reward_calibration",
            "clip_strips",
        ),
        prov=prov("plot_world_model"),
    log:
        "results/{run}/seed{seed}/logs/plot_world_model.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_world_model"),
    shell:
        """
        python -m analysis.plot_world_model --spec {input.spec} --steps {input.steps} \
            --clips {input.clips} --foreseen-quality {output.foreseen_quality} \
            --sampling-steps {output.sampling_steps} --flow-error {output.flow_error} \
            --free-run {output.free_run} --reward-calibration {output.reward_calibration} \
            --clip-strips {output.clip_strips} --clip-video {output.clip_video} \
            --prov {output.prov} >{log} 2>&1
        """


rule plot_evaluation_seed:
    input:
        scores="results/{run}/seed{seed}/evaluation.json",
        episodes="results/{run}/seed{seed}/evaluation.parquet",
        spec=spec("plot_evaluation"),
    output:
        evaluation_returns=figure("evaluation_returns", "training"),
        paired_returns=figure("paired_returns", "training"),
        evaluation_achievements=figure("evaluation_achievements", "training"),
        png=pngs("evaluation_returns", "paired_returns", "evaluation_achievements"),
        prov=prov("plot_evaluation"),
    log:
        "results/{run}/seed{seed}/logs/plot_evaluation.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_evaluation"),
    shell:
        """
        python -m analysis.plot_evaluation --spec {input.spec} --scores {input.scores} \
            --episodes {input.episodes} --evaluation-returns {output.evaluation_returns} \
            --paired-returns {output.paired_returns} \
            --evaluation-achievements {output.evaluation_achievements} \
            --prov {output.prov} >{log} 2>&1
        """
