"""The provenance report: what it says, that it only looks, and that its page is whole."""

import hashlib
import json
import re
import sys
from contextlib import closing

import pytest

from analysis import provenance, provenance_graph, provenance_page, provenance_text
from tests import mutations, sandbox
from tests.changes import SEED


@pytest.fixture(scope="module")
def forks(finished, tmp_path_factory):
    """Starts programs in a copy of the finished sandbox."""
    with closing(mutations.fresh(finished, tmp_path_factory.mktemp("provenance"))) as found:
        yield found


@pytest.fixture
def project(forks):
    """This copy, in which a test changes only what others do not read."""
    return forks.folder


@pytest.fixture
def renewed(forks, finished):
    """The same for tests that change more: what they did is gone afterwards."""
    yield forks.folder
    mutations.renewed(forks, finished)


def report(forks, *words):
    done = forks.run("analysis.provenance", "--configfile", sandbox.CONFIG, *words)
    return done.returncode, done.stdout + done.stderr


def contents(project):
    """Hashes and times of all files."""
    return {
        path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def stale(forks, project, **blocks):
    """The report on a changed configuration, which is put back."""
    text = (project / sandbox.CONFIG).read_text()
    sandbox.change(project, **blocks)
    try:
        return json.loads(report(forks, "--json")[1])
    finally:
        (project / sandbox.CONFIG).write_text(text)


def by_stage(found):
    return {job["stage"]: job for job in found["jobs"]}


def test_it_writes_nothing_but_the_page(forks, project):
    (project / "mine.yaml").write_text("position: {n_null: 2}\n")
    before = contents(project)
    code, _ = report(forks, "mine.yaml", "--html", "page.html")
    assert code == 1
    after = contents(project)
    assert after.pop(project / "page.html")
    assert after == before


def test_it_imports_no_jax(project):
    script = (
        "import sys; from analysis import provenance;"
        f"provenance.main(['--configfile', '{sandbox.CONFIG}']);"
        "assert 'jax' not in sys.modules"
    )
    done = sandbox.subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_one_module_knows_the_inside_of_snakemake():
    sources = [path for name in ("jobs", "analysis") for path in (sandbox.ROOT / name).glob("*.py")]
    pattern = re.compile(r"^\s*(from|import) snakemake(?!_executor)", re.MULTILINE)
    assert [path.name for path in sources if pattern.search(path.read_text())] == ["dag.py"]


def test_a_fresh_study_ends_with_0_a_stale_one_with_1_a_wrong_one_with_2(forks, project):
    assert report(forks)[0] == 0
    (project / "more.yaml").write_text("report: {title: Other}\n")
    assert report(forks, "more.yaml")[0] == 1
    (project / "wrong.yaml").write_text("position: {n_nul: 2}\n")
    code, words = report(forks, "wrong.yaml")
    assert code == 2 and "did you mean 'n_null'?" in words
    code, words = report(forks, "no_such_target")
    assert code == 2 and "no_such_target" in words


def test_targets_narrow_what_is_told(forks, project):
    code, words = report(forks, "--json", "--", "tuning")
    assert code == 0
    assert set(by_stage(json.loads(words))) == {"train", "record", "untrained", "tuning"}


def test_options_source_files_and_versions_are_named_together_even_after_a_sweep(forks, renewed):
    assert forks.run("jobs.sweep").returncode == 0
    sandbox.change(renewed, position={"n_null": 2, "folds": 3})
    sandbox.edit(renewed / "analysis/decoders.py", "\nimport", "\nCHANGED = 1\nimport")
    sandbox.edit(renewed / "envs/analysis.lock.txt", "numpy==", "numpy==9")
    found = by_stage(json.loads(report(forks, "--json")[1]))
    words = [item["words"] for item in found["position"]["reasons"]]
    assert "option position.n_null: 1 -> 2" in words
    assert any(word.startswith("option position.folds: ") for word in words)
    assert "source analysis/decoders.py changed" in words
    assert any(re.match(r"version of numpy: \d+\.\S+ -> 9\d", word) for word in words)
    assert found["position"]["state"] == "stale" and found["train"]["state"] == "fresh"
    assert found["report"]["reasons"][-1]["words"].startswith("made from what runs first: ")


def test_what_made_a_file_is_told_from_its_sidecar(forks, project):
    made = by_stage(json.loads(report(forks, "--json")[1]))["position"]["made"]
    sidecar = json.loads((project / SEED / "position.json.prov.json").read_text())
    names = ("started", "commit", "dirty", "host", "slurm_job", "command", "spec", "inputs")
    assert {name: made[name] for name in names} == {name: sidecar[name] for name in names}
    assert made["options"]["n_null"] == 1 and made["python"] and made["lock"]


def test_a_run_is_told_in_order_with_times_from_before(forks, project):
    found = stale(forks, project, position={"n_null": 2})
    order = [step["stage"] for step in found["run"]["order"]]
    assert order[0] == "position" and order[-1] == "report"
    benchmark = (project / SEED / "benchmarks/position.tsv").read_text().splitlines()[1]
    job = by_stage(found)["position"]
    assert job["seconds"] == float(benchmark.split("\t")[0])
    assert job["estimate"] == "its last time" and job["partition"] == "cpu"
    assert found["run"]["seconds"] >= found["run"]["at_least"] >= job["seconds"]
    assert found["command"] == f"snakemake --cores all --configfile {sandbox.CONFIG}"


def test_more_steps_take_longer_and_gpus_are_counted_by_partition(forks, project):
    config = sandbox.yaml.safe_load((project / sandbox.CONFIG).read_text())
    run = config["runs"][0]
    more = {"run.steps": 900, "run.platform": "gpu"}
    runs = [run | {"seeds": [0, 1], "options": run["options"] | more}]
    found = stale(forks, project, runs=runs)
    train = {job["seed"]: job for job in found["jobs"] if job["stage"] == "train"}
    benchmark = (project / SEED / "benchmarks/train.tsv").read_text().splitlines()[1]
    assert train["0"]["seconds"] == pytest.approx(3 * float(benchmark.split("\t")[0]))
    assert train["0"]["estimate"] == "its last time, for 900 instead of 300 steps"
    assert train["1"]["estimate"] == "median of other seeds"
    assert train["1"]["state"] == "missing" and train["1"]["gpus"] == 1
    assert {job["partition"] for job in train.values()} == {"gpu_h100"}
    hours = found["run"]["gpu_hours"]
    assert hours["gpu_h100"] == pytest.approx(sum(job["seconds"] for job in train.values()) / 3600)
    assert set(hours) == {"gpu_h100", "gpu_a100"}


def test_verify_names_files_that_were_altered_after_they_were_made(forks, renewed):
    changed = renewed / SEED / "tuning.json"
    times = changed.stat()
    changed.write_text(changed.read_text() + " ")
    sandbox.os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert report(forks)[0] == 0
    code, words = report(forks, "--verify")
    assert code == 1
    assert "tuning.json was altered after it was made" in words
    assert f"--forcerun {SEED}tuning.json" in words


def test_snakemake_has_a_target_for_it(project):
    done = sandbox.snakemake(project, "--cores", "1", "--quiet", "all", "--", "provenance")
    assert done.returncode == 0, done.stderr
    assert "A run would do nothing." in done.stdout
    assert (project / "results/provenance.html").is_file()


def job(stage, state, number=0):
    reasons = (
        [{"kind": "option", "words": "option a.b: 1 -> </script>"}] if state == "stale" else []
    )
    return {
        **{
            "stage": stage,
            "run": "run",
            "seed": str(number),
            "state": state,
            "runs": bool(reasons),
        },
        **{"outputs": {f"results/run/seed{number}/{stage}": state}, "reasons": reasons},
        **{"doubts": [], "altered": [], "snakemake": "", "made": None},
    }


def account(jobs, edges):
    run = {"order": [], "gpu_hours": {}, "unknown": 0, "seconds": 0, "at_least": 0}
    return {
        **{"checkout": {"commit": None, "dirty": False}, "verified": False, "counts": {"fresh": 1}},
        **{"jobs": jobs, "edges": edges, "run": run, "words": [], "command": None, "looked": "now"},
    }


def test_the_page_is_one_file_that_needs_no_network():
    page = provenance_page.page(account([job("train", "stale")], []))
    assert not re.search(r"""(src|href)=|url\(|@import""", page)
    assert page.count("</script>") == 2  # texts cannot end the script


def test_a_page_of_ten_thousand_jobs_draws_stages_and_stays_small():
    jobs = [job(stage, "fresh", number) for number in range(5000) for stage in ("train", "record")]
    jobs += [job("train", "stale", 5000)]
    page = provenance_page.page(account(jobs, [("train", "record")]))
    assert page.count("<g>") == 2 and "5000 fresh, 1 stale" in page
    assert len(page) < 5_000_000


EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "e"), ("e", "d")]


def test_boxes_of_the_drawing_do_not_overlap_and_lie_below_what_they_need():
    level = provenance_graph.levels(list("abcde"), EDGES)
    assert all(level[a] < level[b] for a, b in EDGES)
    rows, chains = provenance_graph.lanes(level, EDGES)
    places, width = provenance_graph.spread(provenance_graph.ordered(rows, chains))
    for row in rows:
        edges = sorted(places[item][0] for item in row if isinstance(item, str))
        gaps = [b - a for a, b in zip(edges, edges[1:], strict=False)]
        assert all(gap >= provenance_graph.WIDE for gap in gaps)
        assert not edges or 0 < edges[0] - provenance_graph.WIDE / 2 < edges[-1] < width


def test_jobs_with_the_same_reason_are_told_together():
    groups = provenance_text.grouped([job("train", "stale", number) for number in range(9)])
    assert len(groups) == 1
    assert provenance_text.told(groups[0])[0] == "train (9 jobs: run seed 0 … run seed 8): stale"


@pytest.mark.parametrize("seconds, words", [(3, "3 s"), (150, "2.5 min"), (9000, "2.5 h")])
def test_times_are_told_in_their_unit(seconds, words):
    assert provenance_text.span(seconds) == words


def test_files_doubted_or_altered_are_forced():
    states = {"a": "suspect", "b": "fresh", "c": "gone"}
    found = {"counts": {"suspect": 1}, "jobs": [{"outputs": states}]}
    words = provenance.command(["--configfile", "my study.yaml"], found)
    assert words == "snakemake --cores all --configfile 'my study.yaml' --forcerun a c"


def test_the_document_holds_the_table_of_changes():
    table = mutations.TABLE.search(mutations.DOCUMENT.read_text())[0]
    assert all(f"| {name} |" in table for name in mutations.CHANGES)


def test_help_of_adopt_is_its_own_words(forks):
    done = forks.run("jobs.adopt", "--help")
    assert done.returncode == 0 and "python -m jobs.adopt" in done.stdout
    assert "snakemake" not in done.stderr
