"""Stopping, killing and continuing a training change no bit of its results."""

import threading
import time

import jax
import jax.numpy as jnp
import pytest

from dreamer import checkpoint, session, state
from dreamer.finished import Finished
from jobs.errors import Refused
from tests import toy_family
from tests.toy_training import after, ask, content, train, whole

__all__ = ["whole"]


def test_stopping_and_continuing_changes_no_bit(whole, tmp_path):
    asked = ask(tmp_path, run__envs=3)
    for steps in (1, 41, 13, 29, 15):
        assert not train(asked, after(steps))
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_a_run_killed_after_a_save_continues_from_it(whole, tmp_path, monkeypatch):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(50))

    def killed(*_):
        raise ConnectionError("as if the machine went down")

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(session, "_publish", killed)
        patch.setattr("dreamer.state.Store.save", lambda *_: None)
        train(asked)
    assert train(asked)
    assert content(tmp_path) == content(whole)


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


@pytest.mark.parametrize(
    "name, damage, sentence",
    [
        ("state.safetensors", cut, "state.safetensors is not as it was saved"),
        ("state.safetensors", flip, "state.safetensors is not as it was saved"),
        ("rows/00000000", remove, "rows/00000000 is missing or cut off"),
        ("contents.json", remove, "contents.json is missing or damaged"),
    ],
)
def test_a_damaged_newest_save_falls_back_to_the_one_before(
    whole, tmp_path, name, damage, sentence
):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(40)) and not train(asked, after(20))
    damage(max(asked.state.glob("*/[0-9]*")) / name)
    with pytest.warns(UserWarning, match=f"{sentence}; this save is not used"):
        assert train(asked)
    assert content(tmp_path) == content(whole)


@pytest.mark.parametrize("name, damage", [("state.safetensors", cut), ("undo", empty)])
def test_where_no_save_is_whole_training_starts_anew_and_saves_again(whole, tmp_path, name, damage):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(40)) and not train(asked, after(20))
    for save in asked.state.glob("*/[0-9]*"):
        damage(save / name)
    with pytest.warns(UserWarning, match="this save is not used"):
        assert not train(asked, after(10))
    assert [path.name for path in asked.state.glob("*/[0-9]*")] == [f"{30:012d}"]
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_without_the_newest_undo_file_no_older_save_can_be_returned_to(whole, tmp_path):
    asked = ask(tmp_path, run__envs=3)
    assert not train(asked, after(40)) and not train(asked, after(20))
    empty(max(asked.state.glob("*/[0-9]*")) / "undo")
    with pytest.warns(UserWarning, match="undo is missing or damaged; this save is not used"):
        assert not train(asked, after(10))
    assert [int(path.name) for path in asked.state.glob("*/[0-9]*")] == [30]
    assert train(asked)
    assert content(tmp_path) == content(whole)


def test_only_the_two_newest_saves_are_kept(tmp_path):
    asked = ask(tmp_path, run__envs=3)
    for _ in range(4):
        train(asked, after(5))
    names = sorted(path.parent.name for path in asked.state.glob("*/[0-9]*/state.safetensors"))
    assert names == [f"{steps:012d}" for steps in (45, 60)]


def lose(asked):
    """What a workflow does that lost a job just before its end."""
    for path in asked.outputs():
        path.unlink()


def test_outputs_lost_after_the_end_are_put_back_and_not_trained_anew(whole, tmp_path, monkeypatch):
    asked = ask(tmp_path, run__envs=3, run__snapshots=[120])
    assert not train(asked, after(20)) and train(asked)
    before = [path.read_bytes() for path in asked.outputs()]
    rows = Finished(asked).starts()
    assert [(row["step"], row["repeated"]) for row in rows] == [(0, 0), (60, 0)]
    lose(asked)
    monkeypatch.setattr(session, "run", None)
    assert Finished(asked).restore() and asked.finished()
    assert [path.read_bytes() for path in asked.outputs()] == before


def test_only_what_the_very_same_job_made_is_put_back(tmp_path):
    asked = ask(tmp_path, run__steps=60)
    assert train(asked)
    lose(asked)
    for change in ({"run__log_every": 4}, {"run__steps": 75}, {"opt__lr": 0.5}):
        assert not Finished(ask(tmp_path, **{"run__steps": 60} | change)).restore()
    assert train(ask(tmp_path, run__steps=75))  # keeps its own instead
    assert not Finished(asked).restore() and Finished(ask(tmp_path, run__steps=75)).restore()


def test_more_steps_continue_an_unfinished_run(whole, tmp_path):
    assert not train(ask(tmp_path, run__envs=3, run__steps=200), after(60))
    assert train(ask(tmp_path, run__envs=3))
    assert content(tmp_path) == content(whole)


def test_a_changed_option_starts_anew_and_says_which(tmp_path, capsys):
    assert not train(ask(tmp_path), after(90))
    assert not train(ask(tmp_path, opt__lr=0.5), after(10))
    said = capsys.readouterr().out
    assert "starting anew" in said and "opt.lr 4e-05 -> 0.5" in said and "the code" not in said


def test_another_platform_or_log_cadence_is_the_same_training(tmp_path):
    same = ask(tmp_path, run__platform="cpu", run__log_every=7, run__save_every=1.0, run__steps=9)
    assert same.identity() == ask(tmp_path).identity()
    assert ask(tmp_path, seed=1).identity() != ask(tmp_path).identity()


def test_a_loss_that_is_not_a_number_stops_with_its_name_and_keeps_the_state(tmp_path, monkeypatch):
    asked, real = ask(tmp_path), toy_family.train
    assert not train(asked, after(120))

    def broken(state, batch, key):
        state, metrics, fresh = real(state, batch, key)
        return state, metrics | {"loss/rec": metrics["loss/rec"] / 0.0 * 0.0}, fresh

    monkeypatch.setattr(toy_family, "train", broken)
    with pytest.raises(Refused, match="loss/rec became nan in update 5 at environment step 130"):
        train(asked)
    assert len(list(asked.state.glob("*/000000000120/state.safetensors"))) == 1


def test_a_state_keeps_every_number_type_exactly(tmp_path):
    tree = {"a": jnp.arange(3, dtype=jnp.bfloat16), "b": (jnp.float32(0.1), jnp.zeros((), bool))}
    checkpoint.save(tmp_path / "x.safetensors", state.arrays("tree", tree), {})
    _, arrays = checkpoint.arrays(tmp_path / "x.safetensors")
    again = state.tree("tree", tree, arrays)
    assert jax.tree.all(
        jax.tree.map(lambda x, y: x.dtype == y.dtype and (x == y).all(), tree, again)
    )


def test_a_second_trainer_waits_until_the_first_has_left(tmp_path):
    said, order = [], []

    def second():
        with state.locked(tmp_path, said.append):
            order.append("second")

    with state.locked(tmp_path, said.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and "waiting until it ends" in said[0]


def test_the_real_agent_gives_equal_bits_twice_even_if_stopped_between(tmp_path):
    flags = {"agent": "v3", "run__train_ratio": 4.0, "run__video_every": 150}
    one, two = (ask(tmp_path / name, **flags) for name in ("one", "two"))
    assert train(one)
    assert not train(two, after(173))
    assert train(two)
    assert content(tmp_path / "one") == content(tmp_path / "two")
