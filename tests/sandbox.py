"""A copy of the project in which the workflow runs for real, on an agent too small to learn."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
CONFIG = "tests/smoke.yaml"
# stages of studies with both families, and those of `snakemake benchmarks`
OTHER_STUDIES = {"matched", "plot_families", "scoreboard", "plot_scoreboard"}
LEFT_OUT = shutil.ignore_patterns(".*", "results", "runs", "__pycache__", "*.npz")


def copy(folder):
    """Copy the checkout without results, caches and Snakemake's records."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
    return folder


def clone(folder, target):
    """Copy everything with file times, results and Snakemake's records included."""
    return Path(shutil.copytree(folder, target, symlinks=True))


def snakemake(folder, *words, **environment):
    """Run snakemake in `folder` on the small configuration; returns the finished process."""
    cache = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache/jax"))
    command = [sys.executable, "-m", "snakemake", "--configfile", CONFIG, *map(str, words)]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_COMPILATION_CACHE_DIR": cache, **environment},
    )


def planned(folder, *words):
    """The stages that a dry run would execute, but for targets that do no work."""
    done = snakemake(folder, "--dry-run", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    rules = {
        line.split()[1].rstrip(":") for line in lines if line.startswith(("rule ", "localrule "))
    }
    return {rule.removesuffix("_seed") for rule in rules} - {"all"}


def change(folder, **blocks):
    """Replace settings in the sandbox's configuration."""
    path = folder / CONFIG
    config = yaml.safe_load(path.read_text())
    for name, block in blocks.items():
        config[name] = block if isinstance(block, list) else config.get(name, {}) | block
    path.write_text(yaml.safe_dump(config))


def edit(path, old, new):
    """Replace a text in a file that must have it."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))
