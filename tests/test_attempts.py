"""Starts that bring no progress are counted, and after three there are no more."""

import pytest

from dreamer.attempts import Attempts
from jobs.errors import Refused
from tests.toy_training import after, ask, train


def test_after_three_starts_without_progress_no_more_are_made(tmp_path, monkeypatch):
    asked = ask(tmp_path)
    assert not train(asked, after(30))

    def broken(*_):
        raise Refused("loss/rec became nan")

    with monkeypatch.context() as patch:
        patch.setattr("dreamer.training.Training.advance", broken)
        for _ in range(3):
            with pytest.raises(Refused, match="became nan"):
                train(asked)
    for _ in range(2):
        with pytest.raises(
            Refused, match="3 starts from step 30 got no further.*became nan.*remove"
        ):
            train(asked)
    counts = list(asked.state.glob("*/attempts.json"))
    assert not train(ask(tmp_path, opt__lr=0.5), after(1))
    counts[0].unlink()
    assert [train(asked, after(1)) for _ in range(4)] == [False] * 4


def test_a_start_counts_unless_it_was_stopped_by_hand(tmp_path):
    def ended(error):
        with pytest.raises(type(error)), Attempts(tmp_path, 7).counted():
            raise error
        return Attempts(tmp_path, 7).starts

    assert [ended(KeyboardInterrupt()), ended(ValueError("x")), ended(KeyboardInterrupt())] == [
        0,
        1,
        1,
    ]
    assert Attempts(tmp_path, 7).reason == "x" and Attempts(tmp_path, 8).starts == 0
    with Attempts(tmp_path, 7).counted() as attempt:
        attempt.forgive()
    assert Attempts(tmp_path, 7).starts == 1


def test_a_stop_before_the_first_step_says_so_and_too_few_minutes_count(tmp_path, capsys):
    asked = ask(tmp_path)
    for number in (1, 2, 3):
        assert not train(asked, lambda: "1e-06 minutes are over")
        said = capsys.readouterr().err
        assert f"start {number} of 3 from step 0 without progress" in said and "saved" not in said
    with pytest.raises(Refused, match="1e-06 minutes are over before the first step; allow more"):
        train(asked)
    next(asked.state.glob("*/attempts.json")).unlink()
    for _ in range(4):
        assert not train(asked, lambda: "signal SIGTERM")
    assert "nothing new to save; the same command continues" in capsys.readouterr().err
