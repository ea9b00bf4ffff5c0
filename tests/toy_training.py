"""A quick training for tests: the toy family on a small Crafter, environments in this process."""

import pytest

from dreamer import job, session
from dreamer.envs import vector
from tests import toy_world

OPTIONS = {
    "agent": "tests.toy_family",
    "env.crafter.length": 25,
    "run.steps": 300,
    "run.train_ratio": 8.0,
    "run.log_every": 3,
    "run.video_every": 200,
    "run.save_every": 0.0,
}
NAMES = ("checkpoint.safetensors", "metrics.parquet", "episodes.parquet")


def ask(folder, **more):
    """The job of a training in `folder`; run__envs=3 is the option run.envs."""
    flags = {name.replace("__", "."): value for name, value in more.items()}
    return job.by_hand(folder, ["crafter_small", "debug"], OPTIONS | flags)


def after(steps):
    """A stop function that lets `steps` steps of all environments pass."""
    left = iter([None] * steps)
    return lambda: next(left, "enough")


def train(asked, stop=lambda: None):
    """Train in one sitting; whether it came to its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector, "make", toy_world.in_process)
        return session.run(asked, "cpu", stop)


def content(folder):
    """Bytes of the results."""
    return [(folder / name).read_bytes() for name in NAMES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of an uninterrupted training in three environments."""
    folder = tmp_path_factory.mktemp("whole")
    assert train(ask(folder, run__envs=3))
    return folder
