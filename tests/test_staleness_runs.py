"""What is stale when runs, seeds and foreign files come, change and go.

The study is planned for real; its files are made without computing anything.
"""

import pytest

from tests import mutations, sandbox
from tests.mutations import OVER

CONFIG = "two.yaml"
TRAINED = {
    **{"name": "a", "seeds": [0, 1], "configs": ["crafter_small", "debug"]},
    "options": {
        "run.steps": 300,
        "run.platform": "cpu",
        "run.from_checkpoint": "start.safetensors",
    },
}
STEPS = TRAINED["options"] | {"run.steps": 400}
WALKS = {"name": "walks", "import_trajectories": "walks.parquet", "told_position": True}


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    """Starts programs in a study of two runs, all of whose files are there."""
    folder = sandbox.copy(tmp_path_factory.mktemp("runs") / "project")
    (folder / "walks.parquet").write_text("steps")
    (folder / "start.safetensors").write_text("weights")
    configure(folder, [TRAINED, WALKS])
    with mutations.built(folder, CONFIG) as found:
        yield found


@pytest.fixture
def project(forks):
    """This study, which a test may change."""
    return mutations.renewed(forks, forks.folder.parent / "built")


def configure(project, runs):
    (project / CONFIG).write_text(sandbox.yaml.safe_dump({"runs": runs}))


def stale(forks):
    """{(stage, run, seed)} that both the report and a dry run name."""
    _, ours, theirs = mutations.run(forks, config=CONFIG)
    assert ours == theirs
    return theirs


def over(*runs):
    """The jobs over all runs, and the summaries of some."""
    return {(stage, None, None) for stage in OVER} | {("summary", run, None) for run in runs}


def test_a_new_seed_adds_its_own_jobs_and_what_compares_seeds(forks, project):
    assert stale(forks) == set()
    configure(project, [TRAINED | {"seeds": [0, 1, 2]}, WALKS])
    found = stale(forks)
    assert {job for job in found if job[2] != "2"} == over("a")
    assert ("train", "a", "2") in found and ("plot_dreams", "a", "2") in found


def test_a_run_or_a_seed_removed_reruns_only_what_is_made_over_all(forks, project):
    configure(project, [TRAINED])
    assert stale(forks) == over()
    configure(project, [TRAINED | {"seeds": [1]}, WALKS])
    assert stale(forks) == over("a")


def test_runs_in_another_order_are_compared_and_told_anew(forks, project):
    configure(project, [WALKS, TRAINED])
    assert stale(forks) == over()


def test_a_replaced_foreign_file_reruns_its_run(forks, project):
    (project / "walks.parquet").write_text("other steps")
    found = stale(forks)
    assert ("import_trajectories", "walks", "0") in found
    assert {run for _, run, _ in found} == {"walks", None}


def test_other_weights_to_start_from_retrain(forks, project):
    (project / "start.safetensors").write_text("other weights")
    found = stale(forks)
    assert ("train", "a", "0") in found and ("train", "a", "1") in found
    assert {run for _, run, _ in found} == {"a", None}


def test_what_is_set_for_trainings_holds_for_those_with_other_snapshots_too(forks, project):
    """They are of another rule, because each snapshot is an output by name."""
    other = TRAINED | {"name": "b", "options": STEPS | {"run.snapshots": [100]}}
    configure(project, [TRAINED | {"seeds": [0, 1, 2]}, other])
    words = ["--set-resources", "train_seed:runtime=99", "--set-threads", "train_seed=3"]
    found, _, _ = mutations.run(forks, words, config=CONFIG)
    trainings = [job for job in found["jobs"] if job["stage"] == "train" and job["runs"]]
    assert {(job["run"], job["seed"]) for job in trainings} == {("a", "2"), ("b", "0"), ("b", "1")}
    assert {(job["walltime"], job["threads"]) for job in trainings} == {(99, 3)}


def test_an_option_of_one_run_leaves_the_others(forks, project):
    configure(project, [TRAINED | {"options": STEPS}, WALKS])
    found = stale(forks)
    assert ("train", "a", "0") in found and ("train", "a", "1") in found
    assert {run for _, run, _ in found} == {"a", None}


def test_a_run_under_a_new_name_is_made_anew_and_nothing_else(forks, project):
    configure(project, [TRAINED | {"name": "b"}, WALKS])
    found = stale(forks)
    assert {run for _, run, _ in found} == {"b", None}


def test_an_error_while_a_study_is_planned_ends_it_and_calls_nothing_fresh(forks, project):
    """Snakemake alone would take files that are there for files that no rule makes."""
    sandbox.edit(project / "rules/common.smk", "return PLAN.spec(", "return PLAN.no_spec(")
    for command in (["snakemake", "--dry-run"], ["analysis.provenance"]):
        done = forks.run(*command, "--configfile", CONFIG)
        assert done.returncode == 2 and "no_spec" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ['"text"', "{", '{"spec": ["x"], "outputs": [1], "seconds": "s"}'])
def test_a_sidecar_that_cannot_be_read_puts_its_result_in_doubt(forks, project, text):
    (project / "results/a/seed0/behavior.json.prov.json").write_text(text)
    found, ours, theirs = mutations.run(forks, config=CONFIG)
    assert ours == theirs and ("run_info", "a", "0") in theirs
    (job,) = [job for job in found["jobs"] if "results/a/seed0/behavior.json" in job["outputs"]]
    assert job["doubts"] == [
        "results/a/seed0/behavior.json.prov.json cannot be read, so nothing tells what was made"
    ]


def test_verify_knows_copies_of_figures_from_what_was_made_of_them(forks, project):
    path = "results/a/seed0/figures/losses.png"
    times = (project / path).stat()
    (project / path).write_text("other")
    sandbox.os.utime(project / path, ns=(times.st_atime_ns, times.st_mtime_ns))
    done = forks.run("analysis.provenance", "--configfile", CONFIG, "--verify")
    assert done.returncode == 1 and f"--forcerun {path}" in done.stdout
    assert "figures/losses.png was altered after it was made" in done.stdout


def test_a_damaged_spec_file_is_written_again_and_reruns_nothing(forks, project):
    (path,) = (project / "results/specs").glob("a.seed0.tuning.*.json")
    text = path.read_text()
    path.write_text(text[:20])
    assert stale(forks) == set()
    assert path.read_text() == text


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--html", "results"], "results is a folder"),
        (["--html", "/dev/null/page.html"], "/dev/null"),
        (["--cores", "many"], "number of cores"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(forks, project, words, sentence):
    done = forks.run("analysis.provenance", "--configfile", CONFIG, *words)
    assert done.returncode == 2 and sentence in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
