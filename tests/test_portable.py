"""The rules hold nothing that ties them to one cluster or to a shared disk (docs/cluster.md)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = {path.name: path.read_text() for path in (ROOT / "rules").glob("*.smk")}
CODE = [path for name in ("dreamer", "analysis") for path in (ROOT / name).rglob("*.py")]
SHELLS = [
    pytest.param(shell, id=re.search(r"python -m (\S+)", shell).group(1))
    for text in RULES.values()
    for shell in re.findall(r'shell:\s+"""(.*?)"""', text, re.S)
    if "analysis.provenance" not in shell  # tells of the files here, and runs here
]
SEED = r"results/\{wildcards\.run\}/seed\{wildcards\.seed\}"
WORK = SEED + r"/(train\.state|\{params\.phase\}\.state|\w+\.work)"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_names_no_file_but_what_its_rule_declares_and_its_own_work_folder(shell):
    paths = [word for word in shell.split() if "/" in word]
    assert all(re.fullmatch(WORK, path) for path in paths), paths


@pytest.mark.parametrize("name", RULES)
def test_files_of_a_rule_have_relative_paths_below_the_results(name):
    files = [item for item in re.findall(r'"([^"\n]*/[^"\n]*)"', RULES[name]) if " " not in item]
    assert all(re.match(r"(results|\{folder\}|\.\./envs|captions|rules|envs)/", i) for i in files)


@pytest.mark.parametrize("name", RULES)
def test_rules_use_no_folder_as_output_and_no_variable_of_the_environment(name):
    text = RULES[name]
    assert not re.search(r"\b(directory|service|pipe|update)\(|os\.environ|envvars:", text)
    assert not re.search(r"^ *(run|script|notebook):", text, re.M)


def test_only_the_profile_and_the_sidecars_know_slurm():
    found = {str(path.relative_to(ROOT)) for path in CODE if "SLURM_" in path.read_text()}
    assert found == {"dreamer/sittings.py"}
    assert not [name for name, text in RULES.items() if re.search("slurm|sbatch|srun", text)]
