"""What is stale of agents that learn from data: phases, data, and families apart.

The study is planned for real; its files are made without computing anything.
"""

import copy

import pytest

from tests import mutations, sandbox

CONFIG = "offline.yaml"
WORLD = {"env.crafter.length": 60, "run.platform": "cpu"}
ONLINE = {
    **{"name": "v3", "seeds": [0], "configs": ["crafter_small", "debug"]},
    "options": {"run.steps": 300, "run.snapshots": [100], **WORLD},
}
OFFLINE = {
    **{"name": "v4", "seeds": [0], "agent": "v4", "configs": ["crafter_small", "t0"]},
    **{"options": WORLD, "data": {"run": "v3", "checkpoints": "all", "episodes": 8}},
}
ALONE = OFFLINE | {
    **{"name": "alone", "configs": ["square", "t0"], "options": {"run.platform": "cpu"}},
    **{"data": {"policies": ["scripted", "random"]}},
}
PHASES = ["dataset", "tokenizer", "dynamics", "finetune", "imagination"]
OVER = {"summary", "compare", "plot_compare", "report"}


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    """Starts programs in a study of three runs, all of whose files are there."""
    folder = sandbox.copy(tmp_path_factory.mktemp("offline") / "project")
    configure(folder)
    with mutations.built(folder, CONFIG) as found:
        yield found


@pytest.fixture
def project(forks):
    """This study, which a test may change."""
    return mutations.renewed(forks, forks.folder.parent / "built")


def configure(project, **changes):
    """Write the configuration; `changes` {run: {key: value}}, nested ones replaced in part."""
    runs = copy.deepcopy([ONLINE, OFFLINE, ALONE])
    for run in runs:
        for key, value in changes.get(run["name"], {}).items():
            run[key] = run[key] | value if isinstance(value, dict) else value
    (project / CONFIG).write_text(sandbox.yaml.safe_dump({"runs": runs}))


def stale(forks):
    """{run: {stages}} that both the report and a dry run name, without those over all runs."""
    _, ours, theirs = mutations.run(forks, config=CONFIG)
    assert ours == theirs
    found = {}
    for stage, run, _ in theirs:
        if run and stage not in OVER:
            found.setdefault(run, set()).add(stage)
    return found


def test_how_often_a_phase_is_saved_makes_nothing_of_a_finished_study_stale(forks, project):
    configure(project, v4={"options": {"run.save_every": 1.0}})
    assert stale(forks) == {}


@pytest.mark.parametrize(
    "one, two",
    [
        ((1, "tok.updates", 11), (2, "dyn.width", 64)),
        ((3, "head.mtp", 2), (4, "imag.length", 4)),
        ((1, "run.from_checkpoint", "weights.safetensors"), (4, "taps", "agent/h")),
    ],
)
def test_an_option_of_a_phase_makes_it_and_those_below_stale(forks, project, one, two):
    """Of two runs at once, which do not touch each other."""
    (project / "weights.safetensors").write_text("weights")
    asked = {"v4": one, "alone": two}
    configure(project, **{run: {"options": {item[1]: item[2]}} for run, item in asked.items()})
    found = stale(forks)
    assert found.keys() == asked.keys()
    for run, (place, *_) in asked.items():
        assert found[run] & set(PHASES) == set(PHASES[place:])
        assert {"record", "position", "dreams", "phases"} <= found[run]


def test_other_data_make_everything_below_stale_and_the_report_says_why(forks, project):
    configure(project, v4={"data": {"checkpoints": "last"}}, alone={"data": {"episodes": 9}})
    found, ours, theirs = mutations.run(forks, config=CONFIG)
    assert ours == theirs >= {(phase, run, "0") for phase in PHASES for run in ("v4", "alone")}
    assert not {job for job in theirs if job[1] == "v3"}
    words = {job["run"]: [reason["words"] for reason in job["reasons"]]
             for job in found["jobs"] if job["stage"] == "dataset"}  # fmt: skip
    assert words == {
        "v4": ["input gone: results/v3/seed0/snapshots/100.safetensors"],
        "alone": ["option data.episodes: 200 -> 9"],
    }


def test_the_run_that_plays_makes_the_data_stale_that_it_played(forks, project):
    configure(project, v3={"options": {"run.steps": 301}})
    found = stale(forks)
    assert found.keys() == {"v3", "v4"} and set(PHASES) <= found["v4"]


def changed(project, path):
    sandbox.edit(project / path, "\nfrom", "\nCHANGED = 1\nfrom")


def test_the_code_of_one_family_makes_no_result_of_the_other_stale(forks, project):
    changed(project, "dreamer/v4/shortcut.py")
    found = stale(forks)
    assert found.keys() == {"v4", "alone"}
    assert "dataset" not in found["v4"] and set(PHASES[1:]) <= found["v4"]


def test_the_family_that_plays_makes_the_data_stale_that_it_played(forks, project):
    changed(project, "dreamer/v3/rssm.py")
    found = stale(forks)
    assert found.keys() == {"v3", "v4"} and set(PHASES) <= found["v4"]


def test_the_environment_is_code_of_who_plays_in_it(forks, project):
    changed(project, "dreamer/envs/square.py")
    found = stale(forks)
    assert found.keys() == {"alone"} and set(PHASES) <= found["alone"]


def test_on_a_cluster_phases_ask_for_what_trainings_ask(forks, project):
    on_gpu = {"options": {"run.platform": "gpu"}}
    configure(project, v3=on_gpu, v4=on_gpu, alone=on_gpu)
    found, _, _ = mutations.run(forks, ["--profile", "slurm", "--forceall"], config=CONFIG)
    asked = {(job["run"], job["stage"]): job for job in found["jobs"] if job["runs"]}
    names = ("gpus", "gpu_model", "partition", "walltime", "threads")
    train = [asked["v3", "train"][name] for name in names]
    for run in ("v4", "alone"):
        for phase in PHASES[1:]:
            assert [asked[run, phase][name] for name in names] == train
    assert asked["v4", "dataset"]["gpu_model"] == "a100"
    assert (
        asked["alone", "dataset"]["gpus"] == 0 and asked["alone", "dataset"]["partition"] == "cpu"
    )
