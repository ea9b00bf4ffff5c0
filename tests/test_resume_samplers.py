"""Stopping and killing a training changes no bit of its results, whatever draws its windows."""

import numpy as np
import pytest

from dreamer import samplers, session, trajectory
from jobs.errors import Refused
from tests import toy_family
from tests.toy_training import after, ask, content, train

SMALL = {  # the replay forgets, and both cadences are met several times
    "task": "tests.toy_world",
    "run__envs": 3,
    "run__steps": 150,
    "replay__size": 99,
    "replay__stats_every": 12,
    "replay__cache_every": 30,
    "run__video_every": 0,
}
REAL = {"agent": "v3", "run__steps": 130, "run__video_every": 0, "replay__size": 100}
OTHERS = sorted(set(samplers.KINDS) - {"uniform"})


def fail(*_):
    raise ConnectionError("as if the machine went down")


@pytest.mark.parametrize("name", OTHERS)
def test_a_stop_and_a_kill_change_no_bit(tmp_path, monkeypatch, name):
    flags = SMALL | {"replay__sampler": name}
    assert train(ask(tmp_path / "whole", **flags))
    asked = ask(tmp_path / "broken", **flags)
    assert not train(asked, after(41))
    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(session, "_publish", fail)
        patch.setattr("dreamer.state.Store.save", lambda *_: None)
        train(asked)
    assert train(asked)
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


def test_the_real_agent_is_stopped_without_a_trace_too(tmp_path):
    flags = REAL | {"replay__sampler": "uncertainty"}
    one, two = (ask(tmp_path / folder, **flags) for folder in ("whole", "broken"))
    assert train(one)
    assert not train(two, after(104))
    assert train(two)
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


def test_a_family_that_cannot_be_asked_between_updates_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.delattr(toy_family, "surprise")
    with pytest.raises(Refused, match="'uncertainty_caching', but .* has no function `surprise`"):
        ask(tmp_path, replay__sampler="uncertainty_caching")


def test_what_is_drawn_is_logged(tmp_path):
    assert train(ask(tmp_path, **SMALL, replay__sampler="uncertainty"))
    table = trajectory.read_log(tmp_path / "metrics.parquet", "metrics")[1]
    young, middle, old = (table[f"replay/age_p{share}"] for share in (10, 50, 90))
    assert (young <= middle).all() and (middle <= old).all() and old.max() < 99
    assert table["replay/never_drawn"].between(0, 1).all()
    assert np.isfinite(table[["replay/signal_mean", "replay/signal_std"]]).all(axis=None)
    windows = table["replay/effective_size"] / table["replay/effective_share"]
    assert np.allclose(windows.iloc[-1], 3 * (33 - 11 + 1))
