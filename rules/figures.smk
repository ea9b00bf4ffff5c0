"""Draw what the analyses found; each figure as SVG and PNG.

Reads: the tables and scores of the analyses and the recordings, in results/{run}/seed{seed}/.
Writes: results/{run}/seed{seed}/figures/NAME.svg and NAME.png; animations NAME.gif (NAME.mp4).
"""


rule plot_position_seed:
    input:
        scores="results/{run}/seed{seed}/position.json",
        steps="results/{run}/seed{seed}/position_steps.parquet",
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        test=tested,
        spec=spec("plot_position"),
    output:
        decoded_path=figure("decoded_path", "position"),
        position_over_time=figure("position_over_time", "position"),
        probmap=figure("probmap", "position"),
        occupancy_vs_error=figure("occupancy_vs_error", "position"),
        classification=figure("classification", "position"),
        png=pngs(
            "decoded_path",
            "position_over_time",
            "probmap",
            "occupancy_vs_error",
            "classification",
        ),
        prov=prov("plot_position"),
    log:
        "results/{run}/seed{seed}/logs/plot_position.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_position"),
    shell:
        """
        python -m analysis.plot_position --spec {input.spec} --scores {input.scores} \
            --steps {input.steps} --trajectory {input.trajectory} --test {input.test} \
            --decoded-path {output.decoded_path} \
            --position-over-time {output.position_over_time} --probmap {output.probmap} \
            --occupancy-vs-error {output.occupancy_vs_error} \
            --classification {output.classification} --prov {output.prov} >{log} 2>&1
        """


rule plot_layers_seed:
    input:
        scores="results/{run}/seed{seed}/position.json",
        spec=spec("plot_layers"),
    output:
        layer_comparison=figure("layer_comparison", "position"),
        png=pngs("layer_comparison"),
        prov=prov("plot_layers"),
    log:
        "results/{run}/seed{seed}/logs/plot_layers.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_layers"),
    shell:
        """
        python -m analysis.plot_layers --spec {input.spec} --scores {input.scores} \
            --layer-comparison {output.layer_comparison} --prov {output.prov} >{log} 2>&1
        """


rule plot_over_training_seed:
    input:
        scores="results/{run}/seed{seed}/over_training.json",
        spec=spec("plot_over_training"),
    output:
        decoding_over_training=figure("decoding_over_training", "position"),
        png=pngs("decoding_over_training"),
        prov=prov("plot_over_training"),
    log:
        "results/{run}/seed{seed}/logs/plot_over_training.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_over_training"),
    shell:
        """
        python -m analysis.plot_over_training --spec {input.spec} --scores {input.scores} \
            --decoding-over-training {output.decoding_over_training} \
            --prov {output.prov} >{log} 2>&1
        """


rule plot_tuning_seed:
    input:
        tuning="results/{run}/seed{seed}/tuning.parquet",
        maps="results/{run}/seed{seed}/rate_maps.npz",
        classes="results/{run}/seed{seed}/cell_classes.parquet",
        spec=spec("plot_tuning"),
    output:
        example_tuning_curves=figure("example_tuning_curves", "tuning"),
        si_ev_scatter=figure("si_ev_scatter", "tuning"),
        layer_summary=figure("layer_summary", "tuning"),
        cell_types=figure("cell_types", "tuning"),
        png=pngs(
            "example_tuning_curves", "si_ev_scatter", "layer_summary", "cell_types"
        ),
        prov=prov("plot_tuning"),
    log:
        "results/{run}/seed{seed}/logs/plot_tuning.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_tuning"),
    shell:
        """
        python -m analysis.plot_tuning --spec {input.spec} --tuning {input.tuning} \
            --maps {input.maps} --classes {input.classes} \
            --example-tuning-curves {output.example_tuning_curves} \
            --si-ev-scatter {output.si_ev_scatter} --layer-summary {output.layer_summary} \
            --cell-types {output.cell_types} --prov {output.prov} >{log} 2>&1
        """


rule plot_dreams_seed:
    input:
        scores="results/{run}/seed{seed}/dreams.json",
        steps="results/{run}/seed{seed}/dreams_steps.parquet",
        maps="results/{run}/seed{seed}/dreams_maps.parquet",
        dreams="results/{run}/seed{seed}/dreams.parquet",
        trajectory="results/{run}/seed{seed}/trajectory_test.parquet",
        spec=spec("plot_dreams"),
    output:
        dream_vs_real=figure("dream_vs_real", "dreams"),
        dream_trajectories_world=figure("dream_trajectories_world", "dreams"),
        dream_coherence=figure("dream_coherence", "dreams"),
        dream_strip=figure("dream_strip", "dreams"),
        dream_probmap_policy=figure("dream_probmap_policy", "dreams"),
        dream_probmap_forced=figure("dream_probmap_forced", "dreams"),
        dream_video=figure("dream_video", "dreams", suffix="gif"),
        png=pngs(
            "dream_vs_real",
            "dream_trajectories_world",
            "dream_coherence",
            "dream_strip",
            "dream_probmap_policy",
            "dream_probmap_forced",
        ),
        prov=prov("plot_dreams"),
    log:
        "results/{run}/seed{seed}/logs/plot_dreams.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_dreams"),
    shell:
        """
        python -m analysis.plot_dreams --spec {input.spec} --scores {input.scores} \
            --steps {input.steps} --maps {input.maps} --dreams {input.dreams} \
            --trajectory {input.trajectory} --dream-vs-real {output.dream_vs_real} \
            --dream-trajectories-world {output.dream_trajectories_world} \
            --dream-coherence {output.dream_coherence} --dream-strip {output.dream_strip} \
            --dream-probmap-policy {output.dream_probmap_policy} \
            --dream-probmap-forced {output.dream_probmap_forced} \
            --dream-video {output.dream_video} --prov {output.prov} >{log} 2>&1
        """


WALKS = derived.behavior_files(PLAN.config)


rule plot_behavior_seed:
    input:
        trajectory="results/{run}/seed{seed}/trajectory.parquet",
        spec=spec("plot_behavior"),
    output:
        captions="results/{run}/seed{seed}/figures/behavior.json",
        drawn=[figure(kind, "behavior", suffix=suffix) for kind, suffix in WALKS],
        png=pngs(*[kind for kind, suffix in WALKS if suffix == "svg"]),
        prov=prov("plot_behavior"),
    log:
        "results/{run}/seed{seed}/logs/plot_behavior.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_behavior"),
    shell:
        """
        python -m analysis.plot_behavior --spec {input.spec} --trajectory {input.trajectory} \
            --captions {output.captions} --figures {output.drawn} --prov {output.prov} >{log} 2>&1
        """


rule plot_training_seed:
    input:
        scores="results/{run}/seed{seed}/training.json",
        curves="results/{run}/seed{seed}/training_curves.parquet",
        spec=spec("plot_training"),
    output:
        learning_curves=figure("learning_curves", "training"),
        losses=figure("losses", "training"),
        achievements=figure("achievements", "training"),
        all_metrics=figure("all_metrics", "training"),
        png=pngs("learning_curves", "losses", "achievements", "all_metrics"),
        prov=prov("plot_training"),
    log:
        "results/{run}/seed{seed}/logs/plot_training.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        spec=content("plot_training"),
    shell:
        """
        python -m analysis.plot_training --spec {input.spec} --scores {input.scores} \
            --curves {input.curves} --learning-curves {output.learning_curves} \
            --losses {output.losses} --achievements {output.achievements} \
            --all-metrics {output.all_metrics} --prov {output.prov} >{log} 2>&1
        """
