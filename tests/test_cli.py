"""Commands take their flags from a function, say no in one sentence, and leave a sidecar."""

import os
from pathlib import Path

import pytest

from jobs import cli, files
from jobs.errors import Refused


def command(spec: Path, tables: list[Path], steps: int = 3, fast: bool = False):
    """Do something."""


def by_hand(out: Path | None = None, overrides: dict | None = None):
    """Do something by hand."""


def test_flags_are_named_and_typed_after_the_parameters():
    argv = ["--spec", "s.json", "--tables", "a", "b", "--fast", "--prov", "p.json"]
    values, prov = cli.parse(command, argv)
    assert values == {
        "spec": Path("s.json"), "tables": [Path("a"), Path("b")], "steps": 3, "fast": True,
    }  # fmt: skip
    assert prov == Path("p.json")


@pytest.mark.parametrize(
    "argv, overrides",
    [
        (["--run.steps", "100"], {"run.steps": 100}),
        (["--run.steps=100", "--out", "x"], {"run.steps": 100}),
        (["--env.crafter.area", "[32, 32]"], {"env.crafter.area": [32, 32]}),
        (["--env.crafter.area", "32", "32"], {"env.crafter.area": [32, 32]}),
        (["--env.crafter.random_spawn", "True"], {"env.crafter.random_spawn": True}),
    ],
)
def test_dotted_flags_become_overrides(argv, overrides):
    assert cli.parse(by_hand, argv)[0]["overrides"] == overrides


@pytest.mark.parametrize(
    "argv", [["--spec", "s"], ["--spec", "s", "--tables", "a", "--step", "1"], []]
)
def test_missing_unknown_and_shortened_flags_leave_with_code_2(argv, capsys):
    with pytest.raises(SystemExit) as left:
        cli.run(command, argv)
    assert left.value.code == 2
    assert "--" in capsys.readouterr().err


def test_a_refusal_is_one_sentence_with_code_2_and_no_sidecar(tmp_path, capsys):
    def main(out: Path):
        raise Refused(f"{out} is in the way; remove it")

    with pytest.raises(SystemExit) as left:
        cli.run(main, ["--out", "x", "--prov", str(tmp_path / "p.json")])
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: x is in the way; remove it\n"
    assert not list(tmp_path.iterdir())


def test_the_sidecar_names_spec_outputs_and_inputs_with_their_hashes(tmp_path):
    (tmp_path / "in.txt").write_text("in")
    past = 1_000_000_000
    os.utime(tmp_path / "in.txt", (past, past))

    def main(spec: Path, table: Path, out: Path):
        out.write_text("out")
        return {"device": "cpu"}

    argv = [f"--spec={tmp_path}/demo.seed0.x.1.json", f"--table={tmp_path}/in.txt"]
    with pytest.raises(SystemExit) as left:
        cli.run(main, [*argv, f"--out={tmp_path}/out.txt", f"--prov={tmp_path}/p.json"])
    assert left.value.code == 0
    record = files.read_json(tmp_path / "p.json")
    assert record["spec"] == "demo.seed0.x.1.json"
    assert record["outputs"] == {"out.txt": files.sha256(tmp_path / "out.txt")}
    assert record["inputs"] == {str(tmp_path / "in.txt"): files.sha256(tmp_path / "in.txt")}
    assert record["device"] == "cpu" and record["started"].endswith("+00:00")


def test_an_exit_code_given_back_by_the_command_is_the_programs():
    def main():
        return 75

    with pytest.raises(SystemExit) as left:
        cli.run(main, [])
    assert left.value.code == 75
