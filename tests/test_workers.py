"""A worker process that dies costs time and changes nothing; one that always dies is an end."""

import multiprocessing
import os
import signal

import jax
import numpy as np
import pytest

from dreamer import record, session, stages
from dreamer.driver import Driver
from dreamer.envs import vector
from jobs.errors import Refused
from tests import toy_checkpoint, toy_dreamer, toy_world
from tests.toy_training import ask, content, train

WORLD = "tests.toy_world"


@jax.jit
def policy(carry, observation, keys):
    return toy_dreamer.act(toy_dreamer.init({}, None, None).params, carry, observation, keys, True)


def play(envs, steps, kill=()):
    """Rows of a driver; before the steps in `kill` a worker dies."""
    params = toy_dreamer.init({}, None, None).params
    driver = Driver(envs, policy, toy_dreamer.start(params, envs.num_envs), 0)
    rows = []
    for step in range(steps):
        if step in kill:
            kill_worker(step)
        rows.append(driver.step())
    envs.close()
    names = [name for name in rows[0] if name != "info"]
    facts = [row["info"]["achievements"] for row in rows]
    return {name: np.stack([row[name] for row in rows]) for name in names} | {"facts": facts}


def kill_worker(number):
    workers = sorted(multiprocessing.active_children(), key=lambda process: process.pid)
    os.kill(workers[number % len(workers)].pid, signal.SIGKILL)


def test_environments_whose_worker_dies_play_on_as_if_nothing_had_been():
    whole = play(toy_world.in_process(WORLD, {}, 2, 0), 40)
    with pytest.warns(UserWarning, match="process of an environment died; .* replay the"):
        found = play(vector.make(WORLD, {}, 2, 0), 40, kill=(0, 1, 12, 13, 30))
    for name in whole:
        np.testing.assert_array_equal(found[name], whole[name])
    assert not multiprocessing.active_children()


def test_a_worker_that_dies_again_and_again_is_an_end_in_one_sentence():
    options = {"tests.deadly_world": {"harmless": vector.stream(0, 0)}}
    envs = vector.make("tests.deadly_world", options, 2, 0)
    with (
        pytest.warns(UserWarning, match="died"),
        pytest.raises(Refused, match=r"died 3 times in the same step, after \[4, 4\] steps of the"),
    ):
        play(envs, 20)
    envs.close()
    assert not multiprocessing.active_children()


def test_a_training_whose_workers_die_has_the_same_results(tmp_path):
    flags = {"task": WORLD, "run__envs": 2, "run__steps": 200}
    whole, asked = (ask(tmp_path / name, **flags) for name in ("whole", "killed"))
    assert train(whole)
    steps = iter(range(1000))

    def stop():
        step = next(steps)
        if step in (20, 66):
            kill_worker(step)

    with pytest.warns(UserWarning, match="process of an environment died"):
        assert session.run(asked, "cpu", stop)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_a_recording_whose_worker_dies_has_the_same_steps(tmp_path, monkeypatch):
    path = toy_checkpoint.save(tmp_path / "checkpoint.safetensors", task=WORLD)
    asked = {"record.episodes": 6, "record.envs": 2, "record.platform": "cpu"}
    record.main(path, tmp_path / "whole.parquet", overrides=asked)
    update, calls = stages.Progress.update, iter(range(1000))

    def deadly(progress, *counts):
        if next(calls) == 9:
            kill_worker(1)
        update(progress, *counts)

    monkeypatch.setattr(stages.Progress, "update", deadly)
    with pytest.warns(UserWarning, match="process of an environment died"):
        record.main(path, tmp_path / "killed.parquet", overrides=asked)
    one, two = (tmp_path / f"{name}.parquet" for name in ("whole", "killed"))
    assert one.read_bytes() == two.read_bytes()
