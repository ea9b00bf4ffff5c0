"""Set-up finds a Python that works, or says in one sentence what to install."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("python3.13", "python3.12", "python3.11", "python3")


def install(tmp_path, working=None):
    """Run the script for an empty lock with pythons on the path that fail, but for one."""
    bin = tmp_path / "bin"
    bin.mkdir()
    for name in NAMES:
        runs = f'exec {sys.executable} "$@"' if name == working else "exit 127"
        (bin / name).write_text(f"#!/bin/sh\n{runs}\n")
        (bin / name).chmod(0o755)
    (tmp_path / "empty.lock.txt").write_text("")
    return subprocess.run(
        ["sh", ROOT / "envs/install.sh", tmp_path / "venv", tmp_path / "empty.lock.txt"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"},
    )


def test_without_a_python_that_works_there_is_one_sentence_and_no_folder(tmp_path):
    done = install(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Python 3.11 or newer") and done.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_launchers_without_a_python_behind_them_are_passed_over(tmp_path):
    install(tmp_path, working="python3.11")
    assert (tmp_path / "venv/bin/python").exists()
