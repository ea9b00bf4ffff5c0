"""A full or forbidden disk, broken numbers, starts in vain: one sentence, and nothing is lost."""

import errno
import os
import pkgutil
import random
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from dreamer import job, logs, state
from dreamer import train as command
from jobs import cli, files
from jobs.errors import Refused
from tests import toy_family
from tests.toy_training import after, ask, content, train, whole

__all__ = ["whole"]
ROOT = Path(__file__).parent.parent
WRITERS = {  # what finds the disk full, and after how many calls
    "rows": ("os.pwrite", range(700)),
    "save": ("dreamer.checkpoint.write", range(4)),
    "publish": ("os.replace", range(2, 5)),
}


def full_after(left, real):
    """`real`, but after `left` calls the disk is full."""
    calls = iter(range(left))

    def write(*args, **kwargs):
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    return write


@pytest.mark.parametrize("writer", ["rows", "rows", "save", "publish"])
def test_a_disk_that_fills_up_at_any_moment_loses_nothing(
    whole, tmp_path, monkeypatch, request, writer
):
    asked = ask(tmp_path, run__envs=3, run__save_every=0.002)
    name, moments = WRITERS[writer]
    left = random.Random(request.node.name).choice(moments)
    with monkeypatch.context() as patch:
        patch.setattr(name, full_after(left, pkgutil.resolve_name(name)))
        with pytest.raises(Refused, match=f"{tmp_path}.* cannot be written: No space left"):
            train(asked)
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_a_row_of_the_log_that_finds_no_room_is_a_sentence(tmp_path):
    lines = logs.Lines(Path("/dev/full"))
    with pytest.raises(Refused, match="/dev/full cannot be written: No space left on device"):
        lines.add({"step": 1})


def test_a_real_disk_that_is_full_ends_with_exit_code_2_and_goes_on_with_more_room(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", place]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        full = by_hand(place)
        assert full.returncode == 2 and "Traceback" not in full.stderr, full.stderr
        assert f"{place}" in full.stderr and "No space left on device" in full.stderr
        subprocess.run(["mount", "-o", "remount,size=50m", place], check=True)
        again = by_hand(place)
        assert again.returncode == 0, again.stderr
        assert "continuing from step" in again.stderr
        assert by_hand(tmp_path / "large").returncode == 0
        assert content(place) == content(tmp_path / "large")
    finally:
        subprocess.run(["umount", place], check=True)


def by_hand(folder, *more):
    """The finished command of a small training in `folder`."""
    flags = ["--configs", "crafter_small", "debug", "--agent", "tests.toy_family"]
    flags += ["--platform", "cpu", "--run.steps", "200", "--run.save_every", "0.001"]
    words = [sys.executable, "-m", "dreamer.train", *flags, "--run-dir", folder, *more]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT)


def test_files_that_grow_too_large_are_a_sentence(tmp_path):
    code = """if True:
        import resource, numpy
        from pathlib import Path
        from dreamer.chunks import Chunks
        from jobs import cli
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        def main():
            chunks = Chunks(Path("rows"), numpy.dtype([("image", "uint8", 8000)]), 1)
            chunks.append(0, numpy.zeros(1, chunks.kind))
        cli.run(main, [])
    """
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}
    )
    assert done.returncode == 2
    assert done.stderr == "error: rows cannot be written: File too large; mend that and try again\n"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, capsys, number):
    def forbidden(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(state.Path, "mkdir", forbidden)
    with pytest.raises(SystemExit) as left:
        cli.run(command.main, ["--configs", "debug", "--run-dir", str(tmp_path / "x")])
    said = capsys.readouterr().err
    assert left.value.code == 2 and said.count("\n") == 1
    assert f"{tmp_path}/x" in said and os.strerror(number) in said


def test_broken_parameters_never_replace_a_good_save(tmp_path, monkeypatch):
    asked, real = ask(tmp_path), toy_family.train
    assert not train(asked, after(120))

    def broken(state, batch, key):
        state, metrics, fresh = real(state, batch, key)
        values = {name: value + jnp.nan for name, value in state.params.values.items()}
        params = toy_family.Params(values, state.params.classes)
        return state._replace(params=params), metrics | {"loss/rec": 0.0, "loss/total": 0.0}, fresh

    monkeypatch.setattr(toy_family, "train", broken)
    with pytest.raises(Refused, match=r"toy/kernel.* not finite at environment step 140; the last"):
        train(asked, after(20))
    saves = [path.parent.name for path in asked.state.glob("*/[0-9]*/state.safetensors")]
    assert saves == ["000000000120"]


def test_a_run_killed_while_its_state_is_removed_is_finished_and_cleaned_up(tmp_path, monkeypatch):
    asked = ask(tmp_path, run__steps=30)
    with monkeypatch.context() as patch:
        patch.setattr("dreamer.state.Store.remove", lambda store: None)
        assert train(asked)
    assert list(asked.state.glob("*/identity.json"))
    command._train(asked, None)
    assert sorted(path.name for path in asked.state.iterdir()) == ["finished", "lock"]


def test_state_of_other_versions_or_code_is_left_alone_and_named(tmp_path, monkeypatch, capsys):
    asked = ask(tmp_path)
    assert not train(asked, after(10))
    older = dict(job.versions(asked.options), numpy="1.0")
    monkeypatch.setattr(job, "versions", lambda tree: older)
    assert not train(asked, after(5))
    assert f"numpy {np.__version__} -> 1.0" in capsys.readouterr().out
    assert not train(asked._replace(code="another"), after(5))
    assert capsys.readouterr().out.count("the code") == 2


def test_a_log_that_lost_saved_rows_is_refused(tmp_path):
    asked = ask(tmp_path)
    assert not train(asked, after(120))
    lines = next(asked.state.glob("*/episodes.jsonl"))
    lines.write_text("")
    with pytest.raises(Refused, match="episodes.jsonl lost rows that were saved; remove"):
        train(asked)


def test_how_often_something_is_saved_is_no_part_of_the_results(whole, tmp_path):
    asked = ask(tmp_path, run__envs=3, run__save_every=0.001, run__video_every=0)
    assert train(asked)
    assert content(tmp_path) == content(whole)
    assert files.canonical(asked.options) != files.canonical(ask(tmp_path).options)
