"""Who learns what in phase 2: with head.relevant a share of the rows holds a reward and alone
trains the policy; in the first updates the heads' gradients stay in the heads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dreamer.episodes import Episodes
from dreamer.v4 import train_agent
from dreamer.v4.batches import Data
from tests import quick, tiny_v4, toy_v4


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    episodes = Episodes(toy_v4.write(folder / "train.parquet", length=24), folder)
    return Data(episodes, np.zeros((len(episodes.images), 8, 8), np.float16))


def drawn(data, share, seed=0):
    config = tiny_v4.config(head__relevant=share)
    rng = np.random.default_rng(seed)
    return train_agent.batch(data, config, rng, slice(None))


def test_relevant_rows_hold_a_reward_and_leave_the_dynamics_alone(data):
    rows = drawn(data, 0.5)
    length = rows["z"].shape[1]
    special = ~rows["valid"].any(1)
    assert special.tolist() == [True, True, False, False]
    assert (rows["reward"][special, :length] > 0).any(1).all()
    assert rows["action_known"][special].any(1).all()
    assert not rows["action_known"][~special].any() and rows["valid"][~special].all()
    assert rows["reward_known"].any(1).all()  # both kinds train the reward


def test_without_it_all_rows_train_everything(data):
    rows = drawn(data, 0.0)
    assert rows["valid"].all() and rows["action_known"].any(1).all()


def test_of_an_episode_shorter_than_the_windows_the_padding_trains_nothing(tmp_path):
    path = toy_v4.write(tmp_path / "short.parquet", count=2, length=[24, 3])
    episodes = Episodes(path, tmp_path)
    short = Data(episodes, np.zeros((len(episodes.images), 8, 8), np.float16))
    rows = [drawn(short, 0.0, seed) for seed in range(20)]
    valid = np.concatenate([batch["valid"] for batch in rows])
    assert set(valid.sum(1)) == {3, valid.shape[1]}  # also short ones are learned from
    cut = valid.sum(1) == 3
    for name in ("action_known", "reward_known", "go_on_known"):
        assert not np.concatenate([batch[name] for batch in rows])[cut, 3:].any()
    assert np.concatenate([batch["go_on"] for batch in rows])[cut, 2].tolist() == [0] * cut.sum()


def test_heads_may_predict_the_present_alone(data):
    config = tiny_v4.config(head__mtp=1)
    rows = train_agent.batch(data, config, np.random.default_rng(0), slice(None))
    assert rows["action"].shape == rows["reward"].shape == rows["go_on"].shape == (4, 6)


def test_the_heads_learn_alone_before_their_gradients_reach_the_transformer(data):
    config = tiny_v4.config(head__warmup_heads=3)
    rows = train_agent.batch(data, config, np.random.default_rng(0), slice(None))
    rows |= {"key": jax.random.split(jax.random.key(0), len(rows["z"]))}
    values = toy_v4.params().values

    @quick.jit
    def slopes(count):
        def heads(values):
            found = train_agent.sums(values, config, count, rows)
            return sum(found[name][0] for name in train_agent.HEADS)

        return jax.grad(heads)(values)

    def moved(count, part):
        return any(x.any() for name, x in slopes(jnp.int32(count)).items() if part in name)

    assert [moved(count, "dyn/layer") for count in (0, 2, 3)] == [False, False, True]
    assert all(moved(count, "head/policy") for count in (0, 3))


def test_the_dynamics_loss_may_weigh_less_than_those_of_the_heads():
    weights = train_agent.PHASE.weights(tiny_v4.config(head__dyn_weight=0.1))
    assert weights == {"dynamics": 0.1, "policy": 1, "reward": 1, "continue": 1}
